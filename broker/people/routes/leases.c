/* SPDX-License-Identifier: Apache-2.0
 *
 * PUT /v1/leases/{id}/frames/{n}/log, /thumbnail and /image: what agents send
 * of frames they rendered. It is fenced as a report is: of a frame's log and
 * pictures only those of the lease whose result or failure the farm has taken,
 * and on a farm with keys only with the key of that lease's agent. A log of a
 * frame that is still rendered (?live) is taken while somebody looks at it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/agents/keys.h"
#include "broker/files/artifacts.h"
#include "broker/files/picture_file.h"
#include "broker/people/live.h"
#include "broker/people/reply.h"
#include "broker/people/routes/artifacts.h"
#include "broker/people/routes/routes.h"
#include "broker/views/view.h"
#include "common/app/log.h"
#include "common/mem.h"

#define ACCUSE_MS 10000

enum sent { SENT_LOG, SENT_THUMBNAIL, SENT_IMAGE };

/* What a PUT is about. */
struct sending {
    enum sent what;
    uint64_t lease, offset;
    char job[LIMIT_ID + 1];
    int32_t frame, ordinal;
    char agent[LIMIT_AGENT + 1]; /* whose key it came with; "": no keys */
};

/* --- Reading. --- */

static bool read_digits(const char **at, uint64_t most, uint64_t *ret)
{
    const char *start = *at;
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9' && value <= most; ++*at)
        value = value * 10 + (uint64_t)(**at - '0');
    *ret = value;
    return *at > start && value <= most;
}

/* Reads "<epoch>-<counter>"; or answers 400, false. */
static bool read_lease(struct call *call, uint64_t *ret)
{
    const char *at = call->params.at[0];
    uint64_t epoch, counter;
    bool good = read_digits(&at, (1U << 24) - 1, &epoch) && *at++ == '-' &&
                read_digits(&at, (1ULL << 40) - 1, &counter) && *at == '\0' &&
                epoch > 0 && counter > 0;
    if (good)
        *ret = LEASE_ID(epoch, counter);
    else
        reply_problem(call, RC_INVALID,
                      "a lease is two numbers with a dash between, as in 7-12");
    return good;
}

/* The job of a lease: it goes on, or ?job= says. Or answers 404, NULL. */
static const struct job *job_of(struct call *call, uint64_t id)
{
    const struct core *core = call_core(call);
    const struct lease *lease = lease_find(core, id);
    const char *named = call_query(call, "job");
    const struct job *job = named   ? job_find(core, named)
                            : lease ? lease->job
                                    : NULL;
    if (!job || (lease && lease->job != job)) {
        reply_problem(call, RC_NOT_FOUND,
                      "there is no such lease; of one that is over say its "
                      "job as ?job=");
        return NULL;
    }
    return job;
}

/* The agent whose key the request shows; "" where it shows none. */
static void read_agent(const struct call *call, char ret[LIMIT_AGENT + 1])
{
    const struct keys *keys = call->http->keys;
    const struct key *key =
        keys && call->token ? keys_named(keys, call->token->name) : NULL;
    bool its_own = key && call->token == &key->token;
    snprintf(ret, LIMIT_AGENT + 1, "%s", its_own ? key->token.name : "");
}

static bool read_offset(struct call *call, struct sending *sending)
{
    static const struct field_bounds offsets = {0, INT64_MAX};
    int64_t offset = 0;
    bool good = call_number(call, "offset", offsets, &offset);
    sending->offset = (uint64_t)offset;
    return good;
}

static bool read_sending(struct call *call, enum sent what, struct sending *ret)
{
    *ret = (struct sending){.what = what};
    if (!read_lease(call, &ret->lease) || !read_offset(call, ret))
        return false;
    const struct job *job = job_of(call, ret->lease);
    ret->ordinal = job ? frame_ordinal(call, job) : -1;
    if (ret->ordinal < 0)
        return false;
    ret->frame = frames_number(&job->frames, ret->ordinal);
    snprintf(ret->job, sizeof ret->job, "%s", job->id);
    read_agent(call, ret->agent);
    return true;
}

/* Whether the body is what it says; or answers 400 or 413. */
static bool check_body(struct call *call, enum sent what)
{
    const struct httpd_request *in = call->in;
    size_t most = what == SENT_LOG ? LIMIT_LOG : LIMIT_THUMB;
    if (what == SENT_IMAGE)
        return true; /* its hash tells */
    if (in->body_len > most) {
        reply_problem(call, RC_TOO_LARGE, "at most %zu bytes are kept", most);
        return false;
    }
    bool jpeg = in->body_len > 3 && memcmp(in->body, "\xff\xd8\xff", 3) == 0;
    if (what == SENT_THUMBNAIL && !jpeg) {
        reply_problem(call, RC_INVALID, "a thumbnail is a JPEG");
        return false;
    }
    return true;
}

/* --- The fence. --- */

static void refuse(struct call *call, const struct sending *sending, enum rc rc,
                   const char *reason)
{
    struct http *http = call->http;
    char lease[VIEW_LEASE_SIZE];
    int64_t now_ms = broker_now(http->broker);
    broker_refused(http->broker, REFUSED_ARTIFACT, 1);
    if (now_ms >= http->accuse_ms) {
        http->accuse_ms = now_ms + ACCUSE_MS;
        log_warn(
            "artifact_refused",
            "lease=%s job=%s frame=%d key_of=%s address=%s refused=%llu "
            "reason=%s",
            view_lease(sending->lease, lease), sending->job,
            (int)sending->frame,
            log_quoted(*sending->agent ? sending->agent : "nobody"),
            log_quoted(call->in->peer),
            (unsigned long long)broker_refusals(http->broker, REFUSED_ARTIFACT),
            log_quoted(reason));
    }
    reply_problem(call, rc, "%s", reason);
}

static bool is_of(const struct sending *sending, const char *agent)
{
    return *sending->agent == '\0' || strcmp(sending->agent, agent) == 0;
}

/* --- What is to be kept. --- */

static struct artifact artifact_of(const struct call *call,
                                   const struct sending *sending)
{
    return (struct artifact){
        .kind = sending->what == SENT_LOG ? ARTIFACT_LOG : ARTIFACT_THUMBNAIL,
        .job = sending->job,
        .frame = sending->frame,
        .lease = sending->lease,
        .offset = sending->offset,
        .bytes = call->in->body,
        .n = call->in->body_len};
}

static void leave_put(struct call *call)
{
    artifacts_forget(call->http->artifacts, call);
}

static void put_done(void *ctx, const char *why)
{
    struct call *call = ctx;
    struct sending *sending = call_unpark(call);
    const struct artifact artifact = artifact_of(call, sending);
    if (sending->what == SENT_LOG)
        live_end(call->http, &artifact);
    mem_free(sending);
    if (why)
        reply_problem(call, RC_NO_SPACE, "%s", why);
    else
        reply_empty(call, 204);
}

static void keep(struct call *call, const struct sending *sending)
{
    const struct artifact artifact = artifact_of(call, sending);
    if (!call->http->artifacts) {
        reply_problem(call, RC_NOT_FOUND, "this broker keeps none");
        return;
    }
    call_park(call, mem_copy(sending, sizeof *sending), leave_put, mem_free);
    if (artifacts_put(call->http->artifacts, &artifact, put_done, call))
        return;
    mem_free(call_unpark(call));
    reply_problem(call, RC_BUSY, "too much waits for the disk");
}

/* The picture is known by its hash: what is sent is that or nothing. */
static void keep_image(struct call *call, const struct sending *sending,
                       const struct frame_fact *fact)
{
    struct picture_file file;
    json_t *files = json_loads(fact->files, 0, NULL);
    if (!call->http->blobs)
        reply_problem(call, RC_NOT_FOUND, "this broker keeps no files");
    else if (picture_file_read(json_array_get(files, 0), &file) &&
             blob_is_name(file.sha256))
        blob_put_body(call, file.sha256);
    else
        refuse(call, sending, RC_CONFLICT,
               "no picture of this frame is known that could be checked");
    json_decref(files);
}

/* Whether it comes from one of them, or could come from any. */
static bool is_among(const struct sending *sending, const struct agent_name *by)
{
    for (; by; by = by->next)
        if (is_of(sending, by->name))
            return true;
    return false;
}

/* The last result or charge that the farm has taken of a frame, and the last
 * charge, which may be an earlier one, are each of one lease. */
static enum rc judge(struct call *call, const struct sending *sending,
                     const struct frame_fact *fact)
{
    const struct job *job = job_find(call_core(call), sending->job);
    const struct attempt *attempt =
        job ? job_attempt_find(job, sending->ordinal) : NULL;
    if (job && fact && fact->lease == sending->lease)
        return is_of(sending, fact->agent) ? RC_OK : RC_FORBIDDEN;
    if (sending->what != SENT_LOG || !attempt ||
        attempt->lease != sending->lease)
        return RC_CONFLICT;
    return is_among(sending, attempt->by) || is_among(sending, attempt->lost_by)
               ? RC_OK
               : RC_FORBIDDEN;
}

static void take_fact(void *ctx, const struct frame_fact *facts, size_t n)
{
    struct call *call = ctx;
    struct sending *sending = call_unpark(call);
    const struct frame_fact *fact = n > 0 ? facts : NULL;
    enum rc rc = judge(call, sending, fact);
    if (rc == RC_CONFLICT)
        refuse(call, sending, rc,
               "the farm has taken no result of this frame from this lease");
    else if (rc == RC_FORBIDDEN)
        refuse(call, sending, rc, "the lease is another agent's");
    else if (sending->what == SENT_IMAGE)
        keep_image(call, sending, fact);
    else
        keep(call, sending);
    mem_free(sending);
}

static void put_final(struct call *call, const struct sending *sending)
{
    const struct call_reading reading = {
        sending->job, {sending->ordinal, sending->ordinal + 1}, take_fact};
    call_read(call, &reading, mem_copy(sending, sizeof *sending), mem_free);
}

static void put_live(struct call *call, const struct sending *sending)
{
    const struct lease *lease = lease_find(call_core(call), sending->lease);
    const struct artifact artifact = artifact_of(call, sending);
    if (!lease || LEASE_OVER(lease->status)) {
        refuse(call, sending, RC_CONFLICT, "the lease is over or superseded");
    } else if (!is_of(sending, lease->agent->name)) {
        refuse(call, sending, RC_FORBIDDEN, "the lease is another agent's");
    } else {
        live_put(call->http, &artifact);
        reply_empty(call, 204);
    }
}

static void put(struct call *call, enum sent what)
{
    struct sending sending;
    if (!check_body(call, what) || !read_sending(call, what, &sending))
        return;
    if (broker_draining(call->http->broker))
        reply_problem(call, RC_BUSY, "the broker is shutting down");
    else if (what == SENT_LOG && call_query(call, "live"))
        put_live(call, &sending);
    else
        put_final(call, &sending);
}

static void put_log(struct call *call)
{
    put(call, SENT_LOG);
}

static void put_thumbnail(struct call *call)
{
    put(call, SENT_THUMBNAIL);
}

static void put_image(struct call *call)
{
    put(call, SENT_IMAGE);
}

const struct route routes_leases[] = {
    {"PUT", "/v1/leases/{}/frames/{}/log", put_log, TOKEN_AGENT},
    {"PUT", "/v1/leases/{}/frames/{}/thumbnail", put_thumbnail, TOKEN_AGENT},
    {"PUT", "/v1/leases/{}/frames/{}/image", put_image, TOKEN_AGENT},
    {0},
};
