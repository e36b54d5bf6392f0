/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers are built where they are sent; a long poll is parked until its
 * launch changes or its time is over.
 */
#include "tests/fake/face.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/buf.h"
#include "common/http/negotiate.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/picture.h"

#define TEXT      "text/plain; charset=utf-8"
#define JSON      "application/json; charset=utf-8"
#define ANY_FRAME (-1)

struct parked {
    struct httpd_request *request;
    int32_t pid, after;
    int64_t until_ms;
    struct parked *prev, *next;
};

static void reply(struct httpd_request *request, int status, const char *type,
                  const char *body)
{
    httpd_reply(request, &(struct httpd_answer){.status = status,
                                                .type = type,
                                                .body = body,
                                                .len = strlen(body)});
}

static void reply_json(struct httpd_request *request, int status, json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    reply(request, status, JSON, text);
    free(text);
}

/* 202 with what the classic API says about a job that goes on. */
static void reply_running(struct httpd_request *request, int32_t pid,
                          const char *type, const char *body)
{
    char location[32];
    snprintf(location, sizeof location, "/job/%d", (int)pid);
    httpd_reply(request,
                &(struct httpd_answer){.status = 202,
                                       .type = type,
                                       .body = body,
                                       .len = strlen(body),
                                       .headers = {"Location", location,
                                                   "Retry-After", "5", NULL}});
}

static void reply_busy(struct httpd_request *request)
{
    static const char body[] = "Server busy, try again later";
    httpd_reply(request,
                &(struct httpd_answer){.status = 503,
                                       .type = TEXT,
                                       .body = body,
                                       .len = sizeof body - 1,
                                       .headers = {"Retry-After", "5", NULL}});
}

/* An express server's word for a route it does not have. */
static void reply_no_route(struct httpd_request *request)
{
    reply(request, 404, "text/html; charset=utf-8",
          "<!DOCTYPE html>\n<html lang=\"en\"><body><pre>Cannot do that"
          "</pre></body></html>\n");
}

/* Plays a trick in place of an answer. Returns whether one was played. */
static bool play_trick(struct face *face, struct httpd_request *request)
{
    struct tricks *tricks = &face->node.tricks;
    if (face->node.frozen || tricks_play(tricks, TRICK_BLACK_HOLE, ANY_FRAME))
        return true; /* kept for ever */
    if (tricks_play(tricks, TRICK_ERROR_500, ANY_FRAME))
        reply(request, 500, TEXT, "Internal Server Error");
    else if (tricks_play(tricks, TRICK_NONSENSE, ANY_FRAME))
        reply(request, 200, "text/html; charset=utf-8", "<h1>Welcome</h1>\n");
    else
        return false;
    return true;
}

static int32_t int_of(const json_t *body, const char *key, int32_t fallback)
{
    const json_t *value = json_object_get(body, key);
    return json_is_integer(value) ? (int32_t)json_integer_value(value)
                                  : fallback;
}

static const char *text_of(const json_t *body, const char *key,
                           const char *fallback)
{
    const char *value = json_string_value(json_object_get(body, key));
    return value == NULL ? fallback : value;
}

/* Reads what POST /job asks for. A plain order writes where a classic node
 * writes. */
static bool read_order(const json_t *body, bool superset, struct order *ret)
{
    *ret = (struct order){.from = int_of(body, "from", -1),
                          .to = int_of(body, "to", -1),
                          .step = 1,
                          .folder = "",
                          .name = "blender-render",
                          .key = ""};
    if (superset) {
        ret->step = int_of(body, "step", 1);
        ret->folder = text_of(body, "job", "");
        ret->name =
            text_of(body, "name", *ret->folder == '\0' ? ret->name : "frame");
        ret->key = text_of(body, "key", "");
    }
    return ret->from >= 0 && ret->from <= ret->to && ret->step >= 1;
}

static void start_job(struct face *face, struct httpd_request *request,
                      const struct order *order)
{
    char answer[32];
    struct launch *launch = node_post(&face->node, face->now_ms, order);
    if (launch == NULL) {
        reply_busy(request);
        return;
    }
    if (tricks_play(&face->node.tricks, TRICK_LOSE_ANSWER, ANY_FRAME))
        return;
    snprintf(answer, sizeof answer, "{\"pid\":%d}", (int)launch->pid);
    reply_running(request, launch->pid, JSON, answer);
}

static void post_job(struct face *face, struct httpd_request *request)
{
    struct order order;
    if (tricks_play(&face->node.tricks, TRICK_REFUSE, ANY_FRAME)) {
        node_note(&face->node, face->now_ms, "refused", NULL);
        reply_busy(request);
        return;
    }
    json_t *body = json_loads(request->body, 0, NULL);
    if (read_order(body, face->node.habits->superset, &order))
        start_job(face, request, &order);
    else
        reply(request, 400, TEXT, "Invalid input");
    json_decref(body);
}

static struct launch *find_launch(struct face *face,
                                  const struct httpd_request *request)
{
    int32_t pid = (int32_t)strtol(request->path + strlen("/job/"), NULL, 10);
    if (tricks_play(&face->node.tricks, TRICK_FORGET, ANY_FRAME))
        return NULL;
    return node_find(&face->node, pid);
}

static void reply_state(struct httpd_request *request,
                        const struct launch *launch)
{
    if (launch->state == LAUNCH_RUNNING)
        reply_running(request, launch->pid, TEXT, "Job still running");
    else if (launch->state == LAUNCH_COMPLETED)
        reply(request, 200, TEXT, "Job completed");
    else
        reply(request, 500, TEXT, "Job failed: the fake node was told so");
}

static void park(struct face *face, struct httpd_request *request,
                 const struct launch *launch, double wait_s)
{
    const char *after = httpd_query(request, "after");
    struct parked *parked = mem_new(sizeof *parked);
    parked->request = request;
    parked->pid = launch->pid;
    parked->after = after == NULL ? 0 : (int32_t)strtol(after, NULL, 10);
    parked->until_ms = face->now_ms + (int64_t)(wait_s * 1000);
    request->user = parked;
    DL_APPEND(face->parked, parked);
}

static void get_job(struct face *face, struct httpd_request *request)
{
    struct launch *launch = find_launch(face, request);
    const char *wait = httpd_query(request, "wait");
    face->node.polls++;
    if (launch == NULL)
        reply(request, 400, TEXT, "Job not found");
    else if (face->node.habits->superset && wait != NULL)
        park(face, request, launch, strtod(wait, NULL));
    else if (face->node.habits->superset &&
             accept_json(httpd_header(request, "Accept")))
        reply_json(request, 200, launch_json(launch));
    else
        reply_state(request, launch);
}

static const struct result *result_of(const struct launch *launch,
                                      int32_t frame)
{
    for (size_t i = 0; i < launch->n; i++)
        if (launch->results[i].frame == frame)
            return &launch->results[i];
    return NULL;
}

/* A line when it begins, one for each 100 ms that it is rendered, and one at
 * its end. */
static void write_log(const struct face *face, const struct launch *launch,
                      int32_t frame, struct buf *out)
{
    const struct result *result = result_of(launch, frame);
    bool running = result == NULL && launch->state == LAUNCH_RUNNING;
    int64_t ms = result != NULL ? result->ms
                 : running      ? face->now_ms - launch->began_ms
                                : 0;
    buf_print(out, "Read blend: fake.blend\n");
    for (int64_t at = 0; at < ms; at += 100)
        buf_print(out, "Fra:%d Sample %d/1000\n", (int)frame, (int)(at / 100));
    if (!running)
        buf_print(out, "%s: frame %d\n", result != NULL ? "Saved" : "Error",
                  (int)frame);
}

/* The thumbnail of its file; without one what begins and ends as a JPEG. */
static void reply_thumbnail(struct httpd_request *request,
                            const struct result *result, int32_t frame)
{
    char why[256], text[64];
    struct picture picture;
    struct httpd_answer answer = {.status = 200, .type = "image/jpeg"};
    bool drawn = result && result->path &&
                 picture_prove(result->path, true, &picture, why, sizeof why);
    snprintf(text, sizeof text, "\xff\xd8\xff\xe0 frame %d \xff\xd9",
             (int)frame);
    answer.body = drawn && picture.thumb ? (char *)picture.thumb : text;
    answer.len = drawn && picture.thumb ? picture.thumb_len : strlen(text);
    httpd_reply(request, &answer);
    if (drawn)
        picture_done(&picture);
}

static void get_frame(struct face *face, struct httpd_request *request)
{
    struct buf text;
    char *end;
    long pid = strtol(request->path + strlen("/job/"), &end, 10);
    int32_t frame = (int32_t)strtol(strstr(end, "/frame/") + 7, &end, 10);
    const struct launch *launch = node_find(&face->node, (int32_t)pid);
    bool log = strcmp(end, "/log") == 0;
    if (launch == NULL || (result_of(launch, frame) == NULL &&
                           !(launch->begun && launch->frame == frame))) {
        reply(request, 404, TEXT, "No such frame has begun");
        return;
    }
    if (!log) {
        reply_thumbnail(request, result_of(launch, frame), frame);
        return;
    }
    buf_init(&text, LIMIT_LOG);
    write_log(face, launch, frame, &text);
    reply(request, 200, TEXT, buf_text(&text));
    buf_free(&text);
}

static void patch_job(struct face *face, struct httpd_request *request)
{
    struct launch *launch = find_launch(face, request);
    json_t *body = json_loads(request->body, 0, NULL);
    int32_t to = int_of(body, "to", -1);
    json_decref(body);
    if (launch == NULL)
        reply(request, 400, TEXT, "Job not found");
    else if (to < 0)
        reply(request, 400, TEXT, "Invalid input");
    else if (launch->state != LAUNCH_RUNNING)
        reply(request, 409, TEXT, "Job is over");
    else
        reply_json(
            request, 200,
            json_pack("{s:i}", "to",
                      (int)node_trim(&face->node, face->now_ms, launch, to)));
}

static void delete_job(struct face *face, struct httpd_request *request)
{
    struct launch *launch = find_launch(face, request);
    if (launch == NULL) {
        reply(request, 400, TEXT, "Job not found");
        return;
    }
    node_stop(&face->node, face->now_ms, launch);
    reply(request, 202, TEXT, "Job stopped");
}

static void get_info(struct face *face, struct httpd_request *request)
{
    const struct node *node = &face->node;
    int slots = node->habits->slots > 0 ? (int)node->habits->slots : 1;
    reply_json(
        request, 200,
        json_pack("{s:s, s:s, s:{s:s}, s:[s], s:[], s:s, s:i, s:i, s:i, s:i, "
                  "s:[s,s,s,s,s], s:b}",
                  "name", "fakenode", "version", FRAMEQ_VERSION, "blender",
                  "version", "3.4.1", "engines", "CYCLES", "gpus", "device",
                  "CPU", "cores", 2, "memory_mb", 4096, "slots", slots, "free",
                  slots - (int)node->running, "features", "wait", "patch",
                  "delete", "key", "logs", "healthy", 1));
}

static void get_health(struct face *face, struct httpd_request *request)
{
    (void)face;
    reply(request, 200, TEXT, "OK");
}

static void get_log(struct face *face, struct httpd_request *request)
{
    char *entries = diary_json(face->node.habits->diary);
    json_t *json = json_pack("{s:I, s:I, s:o}", "now", (json_int_t)face->now_ms,
                             "polls", (json_int_t)face->node.polls, "events",
                             json_loads(entries, 0, NULL));
    mem_free(entries);
    reply_json(request, 200, json);
}

static void post_tricks(struct face *face, struct httpd_request *request)
{
    const char *word, *reason = NULL;
    json_t *value, *body = json_loads(request->body, 0, NULL);
    json_object_foreach(body, word,
                        value) if (reason == NULL && json_is_string(value))
        reason = tricks_arm(&face->node.tricks, word, json_string_value(value));
    json_decref(body);
    node_freeze(&face->node);
    reply(request, reason == NULL ? 200 : 400, TEXT,
          reason == NULL ? "OK" : reason);
}

static const struct route {
    const char *method, *path; /* a path that ends in '/' is a beginning */
    bool ours;                 /* only with the superset */
    bool honest;               /* no trick is played on it */
    void (*handle)(struct face *face, struct httpd_request *request);
    const char *with; /* what the path must have in it; NULL: anything */
} routes[] = {
    {"GET", "/health", false, false, get_health, NULL},
    {"POST", "/job", false, false, post_job, NULL},
    {"GET", "/job/", true, true, get_frame, "/frame/"},
    {"GET", "/job/", false, false, get_job, NULL},
    {"GET", "/info", true, false, get_info, NULL},
    {"PATCH", "/job/", true, false, patch_job, NULL},
    {"DELETE", "/job/", true, false, delete_job, NULL},
    {"GET", "/fake/log", false, true, get_log, NULL},
    {"POST", "/fake/tricks", false, true, post_tricks, NULL},
};

static bool route_fits(const struct route *route,
                       const struct httpd_request *request)
{
    size_t len = strlen(route->path);
    bool same = route->path[len - 1] == '/'
                    ? strncmp(request->path, route->path, len) == 0
                    : strcmp(request->path, route->path) == 0;
    return same && strcmp(request->method, route->method) == 0 &&
           (route->with == NULL || strstr(request->path, route->with) != NULL);
}

static void handle(void *ctx, struct httpd_request *request)
{
    struct face *face = ctx;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const struct route *route = &routes[i];
        if (!route_fits(route, request))
            continue;
        if (route->ours && !face->node.habits->superset)
            break;
        if (route->honest || !play_trick(face, request))
            route->handle(face, request);
        return;
    }
    reply_no_route(request);
}

static void unpark(struct face *face, struct parked *parked)
{
    parked->request->user = NULL;
    DL_DELETE(face->parked, parked);
    mem_free(parked);
}

static void request_ended(void *ctx, struct httpd_request *request,
                          bool answered)
{
    (void)answered;
    if (request->user != NULL)
        unpark(ctx, request->user);
}

static void wake_parked(struct face *face)
{
    struct parked *parked, *next;
    DL_FOREACH_SAFE (face->parked, parked, next) {
        struct launch *launch = node_find(&face->node, parked->pid);
        if (launch->revision <= parked->after &&
            parked->until_ms > face->now_ms)
            continue;
        struct httpd_request *request = parked->request;
        unpark(face, parked);
        reply_json(request, 200, launch_json(launch));
    }
}

bool face_open(struct face *face, const struct habits *habits, const char *host,
               int port, char *why, size_t size)
{
    struct httpd_options options = {.host = host,
                                    .port = port,
                                    .body_max = LIMIT_BODY,
                                    .connections = 64,
                                    .handle = handle,
                                    .ended = request_ended,
                                    .ctx = face};
    struct tricks tricks = face->node.tricks;
    node_init(&face->node, habits);
    face->node.tricks = tricks;
    face->parked = NULL;
    face->httpd = httpd_open(&options, why, size);
    if (face->httpd == NULL)
        return false;
    face->node.port = httpd_port(face->httpd);
    return true;
}

void face_close(struct face *face)
{
    httpd_close(&face->httpd);
    node_done(&face->node);
}

void face_step(struct face *face, int64_t now_ms)
{
    face->now_ms = now_ms;
    node_step(&face->node, now_ms);
    httpd_run(face->httpd);
    wake_parked(face);
    httpd_run(face->httpd);
}

int64_t face_next(const struct face *face, int64_t now_ms)
{
    int64_t next_ms = node_next(&face->node);
    int64_t wait_ms = httpd_wait(face->httpd);
    if (wait_ms >= 0 && now_ms + wait_ms < next_ms)
        next_ms = now_ms + wait_ms;
    const struct parked *parked;
    DL_FOREACH (face->parked, parked)
        if (parked->until_ms < next_ms)
            next_ms = parked->until_ms;
    return next_ms;
}
