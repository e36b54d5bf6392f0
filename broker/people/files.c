/* SPDX-License-Identifier: Apache-2.0
 *
 * The list becomes a blob of its own, so that core, ledger and messages carry
 * one short name of it, and equal scenes are equal texts. A job that pins its
 * .blend gets the hash that it has now, unless its submitter gave it.
 */
#include "broker/people/files.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "broker/people/reply.h"
#include "common/app/manifest.h"
#include "common/mem.h"

#define SWEEP_MS 60000

/* What a submit waits with. */
struct settling {
    void (*submit)(struct call *call);
    json_t *body; /* as it is to be read then */
};

static void settling_free(void *work)
{
    struct settling *settling = work;
    json_decref(settling->body);
    mem_free(settling);
}

static void leave(struct call *call)
{
    blobs_forget(call->http->blobs, call);
}

/* Ends the wait; the body is what the submit reads. */
static void end_wait(struct call *call, struct settling *settling)
{
    char *text = json_dumps(settling->body, JSON_COMPACT);
    settling_free(settling);
    call->body = mem_text(text);
    free(text);
}

static void settled(void *ctx, const struct blobs_answer *answer)
{
    struct call *call = ctx;
    struct settling *settling = call_unpark(call);
    void (*submit)(struct call *) = settling->submit;
    end_wait(call, settling);
    if (answer->result == BLOBS_MISSING)
        reply_problem(call, RC_CONFLICT,
                      "field `blend`: %" PRIu64 " of its files are not here, "
                      "the first is %s; send them to /v1/blobs/{sha256}, then "
                      "this again",
                      answer->missing, answer->why);
    else if (answer->result != BLOBS_WHOLE)
        reply_problem(call, RC_NO_SPACE, "field `blend`: %s", answer->why);
    else if (guard_admits(call)) /* its token may have been taken back */
        submit(call);
}

/* Sets out; body is taken. text NULL: the manifest is there already. */
static void begin(struct call *call, void (*submit)(struct call *call),
                  json_t *body, const char *name, const char *text)
{
    struct settling *settling = mem_new(sizeof *settling);
    *settling = (struct settling){submit, body};
    call_park(call, settling, leave, settling_free);
    if (blobs_keep(call->http->blobs, name, text, text ? strlen(text) : 0,
                   settled, call))
        return;
    settling_free(call_unpark(call));
    reply_problem(call, RC_BUSY, "too many uploads wait for the disk");
}

static void begin_list(struct call *call, void (*submit)(struct call *call),
                       json_t *body, const struct manifest *manifest)
{
    unsigned char sum[crypto_hash_sha256_BYTES];
    char name[BLOB_NAME + 1];
    json_t *list = manifest_json(manifest);
    char *text = json_dumps(list, JSON_COMPACT);
    crypto_hash_sha256(sum, (const unsigned char *)text, strlen(text));
    blob_name(sum, name);
    char *blend = blend_write(name, manifest);
    json_object_set_new(body, "blend", json_string(blend));
    begin(call, submit, body, name, text);
    mem_free(blend);
    free(text);
    json_decref(list);
}

/* --- A version that is pinned. --- */

static void pinned(void *ctx, const struct blobs_answer *answer)
{
    struct call *call = ctx;
    struct settling *settling = call_unpark(call);
    void (*submit)(struct call *) = settling->submit;
    bool known = answer->result == BLOBS_WHOLE;
    if (known)
        json_object_set_new(settling->body, "blend_sha256",
                            json_string(answer->name));
    end_wait(call, settling);
    if (!known)
        reply_problem(call, RC_CONFLICT,
                      "field `pin`: the broker cannot read the .blend (%s) to "
                      "know its version; give its `blend_sha256`, as `frameq "
                      "submit --pin` does",
                      answer->why);
    else if (guard_admits(call)) /* as above */
        submit(call);
}

/* Whether the version is still to be found out. What is wrong with the fields
 * is said later. */
static bool wants_hash(const json_t *body)
{
    const char *blend = json_string_value(json_object_get(body, "blend"));
    return json_is_true(json_object_get(body, "pin")) && blend != NULL &&
           *blend == '/' && strlen(blend) <= LIMIT_PATH &&
           json_object_get(body, "blend_sha256") == NULL;
}

static void begin_pin(struct call *call, void (*submit)(struct call *call),
                      json_t *body)
{
    const char *blend = json_string_value(json_object_get(body, "blend"));
    struct settling *settling = mem_new(sizeof *settling);
    *settling = (struct settling){submit, body};
    call_park(call, settling, leave, settling_free);
    if (blobs_hash(call->http->blobs, blend, pinned, call))
        return;
    settling_free(call_unpark(call));
    reply_problem(call, RC_BUSY, "too many uploads wait for the disk");
}

/* A body that may name an uploaded scene or pin one, by a look that costs
 * little. */
static bool is_suspect(const struct call *call)
{
    static const char member[] = "\"blend\"";
    const char *at = call->in->body;
    if (!call->http->blobs)
        return false;
    if (strstr(at, "\"pin\"") != NULL)
        return true;
    for (; (at = strstr(at, member)) != NULL; at++) {
        const char *value = at + strlen(member);
        value += strspn(value, " \t\r\n:");
        if (*value == '[' || strncmp(value, "\"blob:", 6) == 0)
            return true;
    }
    return false;
}

void files_settle(struct call *call, void (*submit)(struct call *call))
{
    char why[LIMIT_REASON], name[BLOB_NAME + 1];
    struct manifest manifest = {0};
    json_t *body =
        is_suspect(call)
            ? fields_parse(call->in->body, call->in->body_len, why, sizeof why)
            : NULL;
    json_t *blend = json_object_get(body, "blend");
    const char *text = json_string_value(blend);
    if (text && blend_is_blob(text, name)) {
        begin(call, submit, body, name, NULL);
    } else if (wants_hash(body)) {
        begin_pin(call, submit, body);
    } else if (!json_is_array(blend)) {
        json_decref(body);
        submit(call); /* it says what is wrong, where anything is */
    } else if (!manifest_read(blend, &manifest, why, sizeof why)) {
        json_decref(body);
        reply_problem(call, RC_INVALID, "field `blend`: %s", why);
    } else {
        begin_list(call, submit, body, &manifest);
        manifest_done(&manifest);
    }
}

/* --- What goes. --- */

static char *live_names(const struct core *core, size_t *ret_n)
{
    const struct job *job;
    char *names = NULL, name[BLOB_NAME + 1];
    size_t n = 0, cap = 0;
    DL_FOREACH (core->jobs, job) {
        if (job->ended_ms != 0 || !blend_is_blob(job->blend, name))
            continue;
        if (n == cap) {
            cap = cap * 2 + 16;
            names = mem_grow(names, cap, sizeof name);
        }
        memcpy(names + n++ * sizeof name, name, sizeof name);
    }
    *ret_n = n;
    return names;
}

void files_run(struct http *http, int64_t now_ms)
{
    if (!http->blobs)
        return;
    blobs_run(http->blobs);
    if (now_ms < http->sweep_ms || !blobs_any(http->blobs))
        return;
    size_t n;
    char *names = live_names(broker_core(http->broker), &n);
    blobs_sweep(http->blobs, names, n, http->keep_ms);
    http->sweep_ms = now_ms + SWEEP_MS;
}
