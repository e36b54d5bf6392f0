/* SPDX-License-Identifier: Apache-2.0
 *
 * A classic node gets from and to and nothing else; our own gets the render
 * fields as the broker sent them, and a key that makes a second POST harmless.
 */
#include "worker-agent/node_client.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/trace.h"
#include "common/mem.h"
#include "worker-agent/node_reply.h"

#define POST_MS  10000
#define POLL_MS  10000
#define WAIT_S   20 /* of a long poll */
#define ORDER_MS 5000
#define PROBE_MS 5000
#define URL_SIZE 512

/* What a request was for, in `kind`: a call, of our own node or not. */
#define KIND(call, ours) ((int)(call)*2 + (ours))
#define KIND_CALL(kind)  ((enum call)((kind) / 2))
#define KIND_OURS(kind)  ((kind) % 2 == 1)

struct node_client {
    struct web *web;
    char *url;
    struct node_client_hooks hooks;
    struct arena arena;
};

struct node_client *node_client_open(struct web *web, const char *url,
                                     const struct node_client_hooks *hooks)
{
    struct node_client *client = mem_new(sizeof *client);
    client->web = web;
    client->url = mem_text(url);
    client->hooks = *hooks;
    return client;
}

void node_client_close(struct node_client **client)
{
    if (*client == NULL)
        return;
    arena_done(&(*client)->arena);
    mem_free((*client)->url);
    mem_free(*client);
    *client = NULL;
}

/* --- Answers. --- */

static void call_done(void *ctx, uint64_t id, int kind,
                      const struct web_answer *web)
{
    struct node_client *client = ctx;
    struct node_answer answer;
    node_reply_read(KIND_CALL(kind), KIND_OURS(kind), web, &client->arena,
                    &answer);
    client->hooks.answered(client->hooks.ctx, id, KIND_CALL(kind), &answer);
    arena_reset(&client->arena);
}

static void probe_done(void *ctx, uint64_t id, int kind,
                       const struct web_answer *web)
{
    struct node_client *client = ctx;
    struct probe_answer answer;
    (void)id;
    node_reply_probe((enum probe)kind, web, &client->arena, &answer);
    client->hooks.probed(client->hooks.ctx, &answer);
    arena_reset(&client->arena);
}

/* --- Requests. --- */

static void send_call(struct node_client *client, int64_t now_ms,
                      const char *path, struct web_request *request)
{
    char url[URL_SIZE];
    snprintf(url, sizeof url, "%s%s", client->url, path);
    request->url = url;
    request->ctx = client;
    if (request->done == NULL)
        request->done = call_done;
    web_send(client->web, now_ms, request);
}

void node_client_probe(struct node_client *client, int64_t now_ms,
                       enum probe probe)
{
    struct web_request request = {.method = "GET",
                                  .timeout_ms = PROBE_MS,
                                  .kind = (int)probe,
                                  .done = probe_done};
    if (probe == PROBE_INFO)
        request.accept = "application/json";
    send_call(client, now_ms, probe == PROBE_INFO ? "/info" : "/health",
              &request);
}

static json_t *classic_body(const struct lease *lease)
{
    return json_pack("{s:i, s:i}", "from", (int)lease->from, "to",
                     (int)lease->to);
}

/* A plain job's frames lie where a classic node would put them: it names
 * neither job nor name. */
static json_t *our_body(const struct lease *lease)
{
    char key[48];
    json_t *body = json_loads(lease->render, JSON_REJECT_DUPLICATES, NULL);
    json_t *rest = classic_body(lease);
    if (!json_is_object(body)) {
        json_decref(body);
        body = json_object();
    }
    json_object_update_new(body, rest);
    snprintf(key, sizeof key, "%" PRIu64 "-%" PRIu64, LEASE_EPOCH(lease->id),
             lease->id - LEASE_ID(LEASE_EPOCH(lease->id), 0));
    json_object_set_new(body, "key", json_string(key));
    if (lease->blend != NULL)
        json_object_set_new(body, "blend", json_string(lease->blend));
    json_object_set_new(body, "step", json_integer(lease->step));
    json_object_set_new(body, "replace", json_boolean(lease->replace));
    if (lease->plain)
        return body;
    json_object_set_new(body, "job", json_string(lease->job));
    if (*lease->name != '\0')
        json_object_set_new(body, "name", json_string(lease->name));
    return body;
}

void node_client_post(struct node_client *client, int64_t now_ms,
                      const struct lease *lease, const struct node_facts *facts)
{
    char trace[TRACE_SIZE];
    json_t *body = facts->classic ? classic_body(lease) : our_body(lease);
    trace_child(lease->trace, trace);
    char *text = json_dumps(body, JSON_COMPACT);
    assert(text != NULL);
    send_call(client, now_ms, "/job",
              &(struct web_request){
                  .method = "POST",
                  .accept = facts->classic ? NULL : "application/json",
                  .body = text,
                  .trace = trace,
                  .timeout_ms = POST_MS,
                  .once = !facts->can_key,
                  .id = lease->id,
                  .kind = KIND(CALL_POST, !facts->classic)});
    free(text);
    json_decref(body);
}

void node_client_poll(struct node_client *client, int64_t now_ms,
                      const struct lease *lease, const struct node_facts *facts)
{
    char path[128];
    int n = snprintf(path, sizeof path, "/job/%" PRId64, lease->pid);
    if (facts->can_wait)
        snprintf(path + n, sizeof path - (size_t)n, "?wait=%d&after=%" PRId64,
                 WAIT_S, lease->revision);
    send_call(client, now_ms, path,
              &(struct web_request){
                  .method = "GET",
                  .accept = facts->classic ? NULL : "application/json",
                  .timeout_ms = POLL_MS + (facts->can_wait ? WAIT_S * 1000 : 0),
                  .id = lease->id,
                  .kind = KIND(CALL_POLL, !facts->classic)});
}

static void send_order(struct node_client *client, int64_t now_ms,
                       const struct lease *lease, struct web_request *request)
{
    char path[64];
    snprintf(path, sizeof path, "/job/%" PRId64, lease->pid);
    request->accept = "application/json";
    request->timeout_ms = ORDER_MS;
    request->id = lease->id;
    send_call(client, now_ms, path, request);
}

void node_client_trim(struct node_client *client, int64_t now_ms,
                      const struct lease *lease, int32_t to)
{
    char body[32];
    snprintf(body, sizeof body, "{\"to\":%d}",
             (int)(to < lease->from ? lease->from : to));
    send_order(client, now_ms, lease,
               &(struct web_request){.method = "PATCH",
                                     .body = body,
                                     .kind = KIND(CALL_TRIM, 1)});
}

void node_client_stop(struct node_client *client, int64_t now_ms,
                      const struct lease *lease)
{
    send_order(
        client, now_ms, lease,
        &(struct web_request){.method = "DELETE", .kind = KIND(CALL_STOP, 1)});
}
