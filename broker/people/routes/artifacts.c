/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/jobs/{id}/frames/{n}/log and /thumbnail: what is kept of a frame beside
 * its picture, and the log of one that is being rendered. What agents send is
 * routes/leases.c's.
 */
#include "broker/files/artifacts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/people/headers.h"
#include "broker/people/live.h"
#include "broker/people/reply.h"
#include "broker/people/routes/artifacts.h"
#include "broker/people/routes/routes.h"
#include "broker/views/view.h"
#include "common/blender_log.h"
#include "common/mem.h"

#define FIRST_MS 3000 /* that a log is waited for of which nothing has come */

/* What a request for a log wants. */
struct wish {
    int64_t attempt; /* 0: the last */
    int64_t offset;  /* bytes of the log before it are known */
    int64_t wait_ms; /* -1: not said */
};

static bool read_wish(struct call *call, struct wish *ret)
{
    static const struct field_bounds attempts = {1, INT32_MAX};
    static const struct field_bounds offsets = {0, INT64_MAX};
    static const struct field_bounds waits = {0, LIMIT_WAIT_MS / 1000};
    int64_t wait_s = -1;
    *ret = (struct wish){0};
    if (!call_number(call, "attempt", attempts, &ret->attempt) ||
        !call_number(call, "offset", offsets, &ret->offset) ||
        !call_number(call, "wait", waits, &wait_s))
        return false;
    ret->wait_ms = wait_s < 0 ? -1 : wait_s * 1000;
    return true;
}

/* The lease that renders a frame now, or NULL. */
static const struct lease *rendering(const struct job *job, int32_t ordinal)
{
    const struct lease *lease;
    int32_t frame = frames_number(&job->frames, ordinal);
    if (!ranges_has(&job->in[FRAME_LEASED], ordinal))
        return NULL;
    DL_FOREACH2 (job->leases, lease, job_next)
        if (lease->frame == frame && !LEASE_OVER(lease->status))
            return lease;
    return NULL;
}

/* --- Logs. --- */

struct log_text {
    const char *bytes;
    size_t n;
    uint64_t offset, lease;
    const char *state; /* "live": more may come; "whole" */
};

/* Answers with the bytes from the wished offset on. */
static void reply_log(struct call *call, const struct log_text *log,
                      int64_t from)
{
    char lease[VIEW_LEASE_SIZE];
    uint64_t skip =
        (uint64_t)from > log->offset ? (uint64_t)from - log->offset : 0;
    if (skip > log->n)
        skip = log->n;
    reply_header(call, "Log-Offset", "%" PRIu64, log->offset + skip);
    reply_header(call, "Log-State", "%s", log->state);
    reply_header(call, "Log-Lease", "%s", view_lease(log->lease, lease));
    size_t line = skip == 0 ? blender_first_error(log->bytes, log->n, NULL) : 0;
    if (line > 0)
        reply_header(call, "Log-First-Error", "%zu", line);
    reply_bytes(call, TYPE_TEXT, log->bytes + skip, log->n - (size_t)skip);
}

static void reply_live(struct call *call, const struct live *live, int64_t from)
{
    const struct log_text log = {live->bytes ? live->bytes : "", live->n,
                                 live->offset, live->lease, "live"};
    reply_header(call, "Cache-Control", "no-store");
    reply_log(call, &log, from);
}

static void reply_whole(struct call *call, const struct artifact *artifact,
                        int32_t attempt, int32_t attempts, int64_t from)
{
    char tag[64];
    const struct log_text log = {artifact->bytes, artifact->n, artifact->offset,
                                 artifact->lease, "whole"};
    snprintf(tag, sizeof tag, "log-%" PRIx64 "-%zu-%" PRId64, artifact->lease,
             artifact->n, from);
    reply_header(call, "Cache-Control", "private, no-cache");
    reply_header(call, "ETag", "\"%s\"", tag);
    if (headers_has_tag(call_header(call, "If-None-Match"), tag)) {
        reply_empty(call, 304);
        return;
    }
    reply_header(call, "Log-Attempt", "%d/%d", (int)attempt, (int)attempts);
    reply_log(call, &log, from);
}

static bool is_of_classic(struct call *call, const char *agent)
{
    const struct agent *of = agent_find(call_core(call), agent);
    return of && of->known && of->node.classic;
}

/* Why there is none, and what to do. */
static void refuse_log(struct call *call, const struct job *job,
                       int32_t ordinal, int64_t attempt)
{
    const struct attempt *charged = job_attempt_find(job, ordinal);
    const struct lease *lease = rendering(job, ordinal);
    const char *agent = lease                    ? lease->agent->name
                        : charged && charged->by ? charged->by->name
                                                 : "";
    if (attempt > 0)
        reply_problem(call, RC_NOT_FOUND,
                      "no log of attempt %d of this frame is kept; without "
                      "?attempt= the last one is shown",
                      (int)attempt);
    else if (is_of_classic(call, agent))
        reply_problem(call, RC_NOT_FOUND,
                      "agent %s has a classic node, which gives no logs: look "
                      "at what that server prints, or run frameq-node there",
                      agent);
    else if (lease)
        reply_problem(call, RC_NOT_FOUND,
                      "agent %s has sent nothing of the log yet; ask again",
                      agent);
    else if (ranges_has(&job->in[FRAME_PENDING], ordinal) && !charged)
        reply_problem(call, RC_NOT_FOUND,
                      "the frame has not been rendered yet, so it has no log");
    else
        reply_problem(call, RC_NOT_FOUND,
                      "no log of this frame is kept: it was dropped for newer "
                      "ones, is still on its way, or its node is a classic "
                      "one, which gives none; a retry of the frame makes a "
                      "new one");
}

static void take_log(void *ctx, const struct artifact *artifact,
                     int32_t attempt, int32_t attempts)
{
    struct call *call = ctx;
    struct wish wish;
    (void)call_unpark(call);
    const struct job *job = call_job(call);
    int32_t ordinal = job ? frame_ordinal(call, job) : -1;
    if (ordinal < 0 || !read_wish(call, &wish))
        return;
    int32_t frame = frames_number(&job->frames, ordinal);
    const struct live *live =
        wish.attempt == 0 ? live_find(call->http, job->id, frame) : NULL;
    bool newer =
        live && live->any && (!artifact || live->lease > artifact->lease);
    if (newer)
        reply_live(call, live, wish.offset);
    else if (artifact)
        reply_whole(call, artifact, attempt, attempts, wish.offset);
    else
        refuse_log(call, job, ordinal, wish.attempt);
}

static void leave_get(struct call *call)
{
    artifacts_forget(call->http->artifacts, call);
}

static void read_artifact(struct call *call, const struct artifact_key *key,
                          artifacts_found *done)
{
    call_park(call, NULL, leave_get, NULL);
    if (artifacts_get(call->http->artifacts, key, done, call))
        return;
    (void)call_unpark(call);
    reply_problem(call, RC_BUSY, "too many requests wait for the disk");
}

static void show_log(struct call *call, int64_t until_ms);

/* Answers, or waits, where the frame is being rendered; else false. */
static bool show_live(struct call *call, const struct lease *lease,
                      const struct wish *wish, int64_t until_ms)
{
    if (wish->attempt > 0 || !lease || lease->agent->node.classic)
        return false;
    struct live *live = live_look(call->http, lease);
    if (!live) {
        reply_problem(call, RC_BUSY, "%d logs are being followed already",
                      LIMIT_LIVE_LOGS);
        return true;
    }
    bool news = live->any && live->offset + live->n > (uint64_t)wish->offset;
    int64_t now_ms = broker_now(call->http->broker);
    if (until_ms < 0)
        until_ms = now_ms + (wish->wait_ms >= 0 ? wish->wait_ms
                             : live->any        ? 0
                                                : FIRST_MS);
    if (!news && now_ms < until_ms)
        live_wait(call, live, until_ms, show_log);
    else if (live->any)
        reply_live(call, live, wish->offset);
    else
        return false;
    return true;
}

/* until_ms: -1 at first, then when its wait is over. */
static void show_log(struct call *call, int64_t until_ms)
{
    struct wish wish;
    if (until_ms >= 0 && !guard_admits(call)) /* may be taken back */
        return;
    const struct job *job = call_job(call);
    int32_t ordinal = job ? frame_ordinal(call, job) : -1;
    if (ordinal < 0 || !read_wish(call, &wish) ||
        show_live(call, rendering(job, ordinal), &wish, until_ms))
        return;
    const struct artifact_key key = {ARTIFACT_LOG, job->id,
                                     frames_number(&job->frames, ordinal),
                                     (int32_t)wish.attempt};
    if (call->http->artifacts)
        read_artifact(call, &key, take_log);
    else
        refuse_log(call, job, ordinal, wish.attempt);
}

static void get_log(struct call *call)
{
    show_log(call, -1);
}

/* --- Thumbnails. --- */

static void refuse_thumbnail(struct call *call)
{
    reply_problem(call, RC_NOT_FOUND,
                  "no thumbnail of this frame is kept: it is not done, the "
                  "thumbnail is on its way or was dropped for newer ones, or "
                  "its node is a classic one, which makes none; /image has "
                  "the picture itself");
}

static void take_thumbnail(void *ctx, const struct artifact *artifact,
                           int32_t attempt, int32_t attempts)
{
    struct call *call = ctx;
    char tag[48];
    (void)attempt;
    (void)attempts;
    (void)call_unpark(call);
    if (!artifact) {
        refuse_thumbnail(call);
        return;
    }
    snprintf(tag, sizeof tag, "thumbnail-%" PRIx64, artifact->lease);
    reply_header(call, "Cache-Control", "private, no-cache");
    reply_header(call, "ETag", "\"%s\"", tag);
    if (headers_has_tag(call_header(call, "If-None-Match"), tag))
        reply_empty(call, 304);
    else
        reply_bytes(call, "image/jpeg", artifact->bytes, artifact->n);
}

static void get_thumbnail(struct call *call)
{
    const struct job *job = call_job(call);
    int32_t ordinal = job ? frame_ordinal(call, job) : -1;
    if (ordinal < 0)
        return;
    const struct artifact_key key = {ARTIFACT_THUMBNAIL, job->id,
                                     frames_number(&job->frames, ordinal), 0};
    if (call->http->artifacts)
        read_artifact(call, &key, take_thumbnail);
    else
        refuse_thumbnail(call);
}

const struct route routes_artifacts[] = {
    {"GET", "/v1/jobs/{}/frames/{}/log", get_log, TOKEN_READ},
    {"GET", "/v1/jobs/{}/frames/{}/thumbnail", get_thumbnail, TOKEN_READ},
    {0},
};
