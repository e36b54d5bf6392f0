/* SPDX-License-Identifier: Apache-2.0
 *
 * A table of routes and one function for each. The classic answers (status,
 * text, headers) are a promise and stay as they are.
 */
#include "node/api.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/app/fields.h"
#include "common/app/log.h"
#include "common/http/negotiate.h"
#include "common/limits.h"
#include "node/info.h"
#include "node/node.h"
#include "node/reply.h"

#define RETRY_AFTER "5"

/* What a path names. */
struct target {
    int64_t pid;   /* -1: not a number */
    int64_t frame; /* -1: not a number */
};

typedef void handler(struct node *node, struct httpd_request *request,
                     const struct target *target);

/* -- Reading requests ------------------------------------------------------ */

/* Reads a number of up to 15 digits at *at; -1: there is none. */
static int64_t number_read(const char **at)
{
    int64_t value = 0;
    int digits = 0;
    for (; isdigit((unsigned char)**at) && digits < 16; ++*at, digits++)
        value = value * 10 + (**at - '0');
    return digits == 0 || digits == 16 ? -1 : value;
}

/* Reads a part of a path: a number, or -1 for anything else. */
static int64_t part_read(const char **path)
{
    const int64_t number = number_read(path);
    const size_t rest = strcspn(*path, "/");
    *path += rest;
    return rest > 0 ? -1 : number;
}

/* A path fits a pattern in which P and F stand for a job's pid and a frame,
 * numbers or not, so that "/job/abc" is no job rather than no route. */
static bool path_fits(const char *path, const char *pattern, struct target *ret)
{
    for (; *pattern; pattern++) {
        if (*pattern == 'P')
            ret->pid = part_read(&path);
        else if (*pattern == 'F')
            ret->frame = part_read(&path);
        else if (*path++ != *pattern)
            return false;
    }
    return *path == '\0';
}

static bool body_is_json(const struct httpd_request *request)
{
    return content_is_json(httpd_header(request, "Content-Type"),
                           httpd_header(request, "Origin") != NULL);
}

static void refuse_type(struct httpd_request *request)
{
    reply_refuse(request, RC_MEDIA_TYPE, NULL,
                 "Unsupported media type: send application/json");
}

static void refuse_input(struct httpd_request *request, const char *why)
{
    char text[LIMIT_REASON + 32];
    snprintf(text, sizeof text, "Invalid input: %s", why);
    reply_refuse(request, RC_INVALID, NULL, text);
}

static struct job *job_of(struct node *node, struct httpd_request *request,
                          const struct target *target)
{
    struct job *job = node_find(node, target->pid);
    if (!job)
        reply_refuse(request, RC_INVALID, NULL, "Job not found");
    return job;
}

/* -- Jobs ------------------------------------------------------------------ */

static void job_location(const struct job *job, char ret[40])
{
    snprintf(ret, 40, "/job/%lld", (long long)job->pid);
}

static void accept_job(struct httpd_request *request, const struct job *job)
{
    char location[40];
    job_location(job, location);
    const char *const headers[] = {"Location", location, "Retry-After",
                                   RETRY_AFTER, NULL};
    reply_json(request, 202, headers,
               json_pack("{s:I}", "pid", (json_int_t)job->pid));
}

static void refuse_work(struct httpd_request *request, const char *text)
{
    static const char *const headers[] = {"Retry-After", RETRY_AFTER, NULL};
    reply_refuse(request, RC_BUSY, headers, text);
}

static bool node_is_unwell(struct node *node, struct httpd_request *request)
{
    char why[LIMIT_REASON];
    char text[LIMIT_REASON + 64];
    node_revive(node);
    const enum fault fault = node_health(node, why, sizeof why);
    if (fault == FAULT_NONE)
        return false;
    snprintf(text, sizeof text, "Node unwell (%s): %s", fault_word(fault), why);
    refuse_work(request, text);
    return true;
}

/* Returns whether the key of spec was used before, and answered so. */
static bool answer_again(struct node *node, struct httpd_request *request,
                         const struct spec *spec)
{
    const struct job *job = spec->key ? node_find_key(node, spec->key) : NULL;
    if (!job)
        return false;
    if (json_equal(job->spec.body, spec->body))
        accept_job(request, job);
    else
        reply_refuse(request, RC_CONFLICT, NULL,
                     "Conflict: `key` was used before, with another body");
    return true;
}

static void start_job(struct node *node, struct httpd_request *request,
                      struct spec *spec)
{
    if (answer_again(node, request, spec))
        return;
    if (node->leaving || node_free_slots(node) == 0) {
        refuse_work(request, "Server busy, try again later");
        return;
    }
    if (node_is_unwell(node, request))
        return;
    const struct job *job = node_start(node, spec);
    if (job)
        accept_job(request, job);
    else
        refuse_work(request, "Node unwell (unwritable): no job number");
}

static void job_post(struct node *node, struct httpd_request *request,
                     const struct target *target)
{
    (void)target;
    struct spec spec;
    char why[LIMIT_REASON];
    if (!body_is_json(request)) {
        refuse_type(request);
        return;
    }
    if (!spec_parse(request->body, request->body_len, &node->rules, &spec, why,
                    sizeof why)) {
        refuse_input(request, why);
        return;
    }
    trace_child(httpd_header(request, "traceparent"), spec.trace);
    start_job(node, request, &spec);
    spec_done(&spec);
}

static void job_text(struct httpd_request *request, const struct job *job)
{
    char location[40];
    char text[LIMIT_REASON + 32];
    job_location(job, location);
    const char *const headers[] = {"Location", location, "Retry-After",
                                   RETRY_AFTER, NULL};
    if (job->state == JOB_RUNNING) {
        reply_text(request, 202, headers, "Job still running");
    } else if (job->state == JOB_COMPLETED) {
        reply_text(request, 200, NULL, "Job completed");
    } else {
        snprintf(text, sizeof text, "Job failed: %s",
                 job->text ? job->text : "");
        reply_text(request, 500, NULL, text);
    }
}

static void job_reply(struct httpd_request *request, const struct job *job)
{
    if (reply_wants_json(request))
        reply_json(request, 200, NULL, job_json(job));
    else
        job_text(request, job);
}

/* Reads ?wait= in seconds, a fraction allowed; -1: not there; -2: bad. */
static int64_t wait_read(const struct httpd_request *request)
{
    const char *text = httpd_query(request, "wait");
    if (!text)
        return -1;
    char *end = NULL;
    const double seconds = strtod(text, &end);
    if (!isdigit((unsigned char)text[0]) || *end != '\0')
        return -2;
    const double most = LIMIT_WAIT_MS / 1000.0;
    return (int64_t)((seconds < most ? seconds : most) * 1000);
}

/* Reads ?after=; without it a change from now on is meant. -1: bad. */
static int64_t after_read(const struct httpd_request *request,
                          const struct job *job)
{
    const char *text = httpd_query(request, "after");
    if (!text)
        return (int64_t)job->rev;
    const int64_t after = number_read(&text);
    return *text == '\0' ? after : -1;
}

static bool job_has_news(const struct job *job, uint64_t after)
{
    return job->state != JOB_RUNNING || job->rev > after;
}

static void job_get(struct node *node, struct httpd_request *request,
                    const struct target *target)
{
    const struct job *job = job_of(node, request, target);
    if (!job)
        return;
    const int64_t wait_ms = wait_read(request);
    const int64_t after = after_read(request, job);
    const struct wait wait = {.request = request,
                              .pid = job->pid,
                              .after = (uint64_t)after,
                              .until_ms = node->now_ms + wait_ms};
    if (wait_ms == -2)
        refuse_input(request, "query `wait`: must be a number of seconds");
    else if (after < 0)
        refuse_input(request, "query `after`: must be a number");
    else if (wait_ms <= 0 || job_has_news(job, wait.after) ||
             !waits_add(&node->waits, &wait))
        job_reply(request, job);
}

static bool trim_read(const struct httpd_request *request, int32_t *ret_to,
                      char *why, size_t size)
{
    static const struct field_bounds bounds = {0, LIMIT_FRAME_MAX};
    static const struct field fields[] = {{"to", field_integer, &bounds},
                                          {NULL, NULL, NULL}};
    static const struct field *const tables[] = {fields, NULL};
    json_t *body = fields_parse(request->body, request->body_len, why, size);
    bool good = body && fields_check(body, tables, why, size);
    if (good && !json_object_get(body, "to")) {
        snprintf(why, size, "field `to`: is missing");
        good = false;
    }
    if (good)
        *ret_to = (int32_t)json_integer_value(json_object_get(body, "to"));
    json_decref(body);
    return good;
}

static void job_patch(struct node *node, struct httpd_request *request,
                      const struct target *target)
{
    int32_t to = 0;
    char why[LIMIT_REASON];
    struct job *job = job_of(node, request, target);
    if (!job)
        return;
    if (!trim_read(request, &to, why, sizeof why)) {
        refuse_input(request, why);
        return;
    }
    const int32_t last = job_trim(job, to);
    if (last < 0)
        reply_refuse(request, RC_CONFLICT, NULL, "Conflict: the job is over");
    else
        reply_json(request, 200, NULL, json_pack("{s:i}", "to", last));
}

static void job_delete(struct node *node, struct httpd_request *request,
                       const struct target *target)
{
    struct job *job = job_of(node, request, target);
    if (!job)
        return;
    node_stop(node, job);
    reply_text(request, 202, NULL, "Job is being stopped");
}

static void job_log(struct node *node, struct httpd_request *request,
                    const struct target *target)
{
    struct buf log;
    const struct job *job = job_of(node, request, target);
    if (!job)
        return;
    buf_init(&log, LIMIT_LOG);
    output_log(&job->output, LIMIT_LOG, &log);
    reply_text(request, 200, NULL, buf_text(&log));
    buf_free(&log);
}

static void frame_log(struct node *node, struct httpd_request *request,
                      const struct target *target)
{
    struct buf log;
    char text[24];
    uint64_t offset = 0;
    const char *const headers[] = {"Log-Offset", text, NULL};
    struct job *job = job_of(node, request, target);
    if (!job)
        return;
    buf_init(&log, LIMIT_LOG);
    const bool begun =
        target->frame >= 0 && target->frame <= LIMIT_FRAME_MAX &&
        job_frame_log(job, (int32_t)target->frame, &log, &offset);
    snprintf(text, sizeof text, "%llu", (unsigned long long)offset);
    if (begun)
        reply_text(request, 200, headers, buf_text(&log));
    else
        reply_refuse(request, RC_NOT_FOUND, NULL, "No such frame has begun");
    buf_free(&log);
}

/* -- Pictures -------------------------------------------------------------- */

static const char *type_of(const char *path)
{
    static const char *const types[][2] = {
        {".png", "image/png"},   {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"}, {".tif", "image/tiff"},
        {".tiff", "image/tiff"}, {".webp", "image/webp"},
        {".exr", "image/x-exr"}};
    const char *dot = strrchr(path, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static const struct frame *frame_of(struct node *node,
                                    struct httpd_request *request,
                                    const struct target *target)
{
    const struct job *job = job_of(node, request, target);
    if (!job)
        return NULL;
    const struct frame *frame =
        target->frame >= 0 && target->frame <= LIMIT_FRAME_MAX
            ? job_frame(job, (int32_t)target->frame)
            : NULL;
    if (frame && frame->state == FRAME_DONE)
        return frame;
    reply_refuse(request, RC_NOT_FOUND, NULL, "No such frame is done");
    return NULL;
}

static void frame_get(struct node *node, struct httpd_request *request,
                      const struct target *target)
{
    const struct frame *frame = frame_of(node, request, target);
    if (!frame)
        return;
    const char *path = json_string_value(
        json_object_get(json_array_get(frame->files, 0), "path"));
    struct stat st;
    const int fd =
        path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        httpd_file(request, type_of(path), fd, (uint64_t)st.st_size, NULL);
        return;
    }
    if (fd >= 0)
        close(fd);
    reply_refuse(request, RC_NOT_FOUND, NULL, "The picture is gone");
}

static void thumbnail_get(struct node *node, struct httpd_request *request,
                          const struct target *target)
{
    const struct frame *frame = frame_of(node, request, target);
    if (!frame)
        return;
    if (!frame->thumb) {
        reply_refuse(request, RC_NOT_FOUND, NULL,
                     "No thumbnail of that frame is kept");
        return;
    }
    const struct httpd_answer answer = {
        .status = 200,
        .type = "image/jpeg",
        .body = (const char *)frame->thumb,
        .len = frame->thumb_len,
    };
    httpd_reply(request, &answer);
}

/* -- The node -------------------------------------------------------------- */

static void health_get(struct node *node, struct httpd_request *request,
                       const struct target *target)
{
    (void)node;
    (void)target;
    reply_text(request, 200, NULL, "OK");
}

/* Waits for the first words of Blender, so that nobody reads half of it. */
static void info_get(struct node *node, struct httpd_request *request,
                     const struct target *target)
{
    (void)target;
    const struct wait wait = {.request = request,
                              .until_ms = node->now_ms + LIMIT_WAIT_MS};
    node_revive(node);
    if (probe_is_over(&node->probe) || !waits_add(&node->waits, &wait))
        reply_json(request, 200, NULL, info_json(node));
}

static const struct route {
    const char *method;
    const char *pattern; /* P: a job's number, F: a frame's */
    handler *handle;
} routes[] = {
    {"GET", "/health", health_get},
    {"GET", "/info", info_get},
    {"POST", "/job", job_post},
    {"GET", "/job/P", job_get},
    {"PATCH", "/job/P", job_patch},
    {"DELETE", "/job/P", job_delete},
    {"GET", "/job/P/log", job_log},
    {"GET", "/job/P/frame/F", frame_get},
    {"GET", "/job/P/frame/F/log", frame_log},
    {"GET", "/job/P/frame/F/thumbnail", thumbnail_get},
};

static void refuse_route(struct httpd_request *request, const char *allowed)
{
    const char *const headers[] = {"Allow", allowed, NULL};
    if (allowed[0])
        reply_refuse(request, RC_METHOD, headers, "Method not allowed");
    else
        reply_refuse(request, RC_NOT_FOUND, NULL, "Not found");
}

/* A node serves no page, so a page that asks it to do something is somebody
 * else's. Returns whether it was one, and refused. */
static bool refuse_page(struct httpd_request *request)
{
    const bool reads = strcmp(request->method, "GET") == 0 ||
                       strcmp(request->method, "HEAD") == 0;
    if (reads ||
        (!httpd_header(request, "Origin") &&
         !site_is_foreign(httpd_header(request, "Sec-Fetch-Site"), NULL, NULL)))
        return false;
    if (body_is_json(request))
        reply_refuse(request, RC_FORBIDDEN, NULL,
                     "Forbidden: a web page may not do this");
    else
        refuse_type(request);
    return true;
}

/* A page whose own name leads here reads what it likes (DNS rebinding). */
static bool refuse_host(const struct node *node, struct httpd_request *request)
{
    if (!site_misleads(&node->options.site, httpd_header(request, "Host"),
                       httpd_header(request, "Accept-Language"),
                       httpd_header(request, "Sec-Fetch-Site")))
        return false;
    reply_refuse(request, RC_MISDIRECTED, NULL,
                 "Misdirected request: this node does not know itself by the "
                 "name in Host, and any web page may have made that lead here; "
                 "use its address, or start frameq-node with --hosts and the "
                 "name");
    return true;
}

void api_handle(void *ctx, struct httpd_request *request)
{
    char allowed[64] = "";
    const char *method =
        strcmp(request->method, "HEAD") == 0 ? "GET" : request->method;
    if (refuse_host(ctx, request))
        return;
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        struct target target = {-1, -1};
        const struct route *route = &routes[i];
        if (!path_fits(request->path, route->pattern, &target))
            continue;
        if (strcmp(method, route->method) == 0) {
            if (!refuse_page(request))
                route->handle(ctx, request, &target);
            return;
        }
        const size_t len = strlen(allowed);
        snprintf(allowed + len, sizeof allowed - len, "%s%s", len ? ", " : "",
                 route->method);
    }
    refuse_route(request, allowed);
}

void api_ended(void *ctx, struct httpd_request *request, bool answered)
{
    struct node *node = ctx;
    if (!answered)
        waits_remove(&node->waits, request);
}

static bool wait_is_over(void *ctx, const struct wait *wait)
{
    const struct node *node = ctx;
    if (node->now_ms >= wait->until_ms)
        return true;
    if (wait->pid == 0)
        return probe_is_over(&node->probe);
    const struct job *job = node_find(node, wait->pid);
    return !job || job_has_news(job, wait->after);
}

bool api_answer(struct node *node)
{
    struct wait wait;
    bool any = false;
    while (waits_take(&node->waits, wait_is_over, node, &wait)) {
        const struct job *job = node_find(node, wait.pid);
        if (wait.pid == 0)
            reply_json(wait.request, 200, NULL, info_json(node));
        else if (job)
            job_reply(wait.request, job);
        else
            reply_refuse(wait.request, RC_INVALID, NULL, "Job not found");
        any = true;
    }
    return any;
}
