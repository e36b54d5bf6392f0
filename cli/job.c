/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs as people name them.
 */
#include "cli/job.h"

#include <string.h>

#include "cli/doc.h"
#include "common/app/log.h"
#include "common/fault.h"
#include "common/frames.h"
#include "common/limits.h"

const char *job_label(const json_t *job)
{
    const char *name = doc_text(job, "name");
    return *name != '\0' ? name : doc_text(job, "id");
}

bool job_over(const char *state)
{
    return strcmp(state, "completed") == 0 || strcmp(state, "failed") == 0 ||
           strcmp(state, "cancelled") == 0;
}

struct bar job_bar(const json_t *job)
{
    const json_t *counts = json_object_get(job, "counts");
    return (struct bar){
        .done = doc_int(counts, "done"),
        .failed = doc_int(counts, "failed"),
        .cancelled = doc_int(counts, "cancelled"),
        .leased = doc_int(counts, "leased"),
        .total = doc_int(counts, "total"),
    };
}

static json_t *jobs_of_prefix(const json_t *jobs, const char *prefix)
{
    size_t i, len = strlen(prefix);
    json_t *job, *found = json_array();
    json_array_foreach(jobs, i, job) if (len > 0 && strncmp(doc_text(job, "id"),
                                                            prefix, len) == 0)
        json_array_append(found, job);
    return found;
}

static json_t *job_member(const json_t *jobs, const char *key,
                          const char *value)
{
    size_t i;
    json_t *job;
    json_array_foreach(jobs, i, job) if (doc_is(job, key, value)) return job;
    return NULL;
}

enum job_match job_match(const json_t *jobs, const char *text, json_t **ret)
{
    *ret = job_member(jobs, "id", text);
    if (*ret != NULL)
        return JOB_ONE;
    json_t *found = jobs_of_prefix(jobs, text);
    size_t n = json_array_size(found);
    json_t *named = job_member(jobs, "name", text);
    bool begins = strlen(text) >= JOB_PREFIX_SHORT || named == NULL;
    *ret = n == 1 && begins ? json_array_get(found, 0) : named;
    if (n > 1 && *ret == NULL) {
        *ret = found;
        return JOB_MANY;
    }
    json_decref(found);
    return *ret == NULL ? JOB_NONE : JOB_ONE;
}

static bool is_whole_id(const char *text)
{
    size_t len = strlen(text);
    return len >= LIMIT_ID_MIN && len <= LIMIT_ID &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789-_") == len;
}

/* The job of that very id, or NULL. */
static json_t *job_get(struct cli *cli, const char *id)
{
    struct ask ask = {.method = "GET",
                      .path = client_path(cli->client, "/v1/jobs/%s", id)};
    struct reply reply;
    client_ask(cli->client, &ask, &reply);
    if (reply.status == 200 && client_is_broker(&reply))
        return reply.json;
    if (reply.status != 404 || !client_is_broker(&reply))
        client_end(cli->client, &reply);
    reply_done(&reply);
    return NULL;
}

static void end_ambiguous(const char *text, const json_t *candidates)
{
    size_t i;
    json_t *job;
    struct buf list;
    buf_init(&list, LIMIT_ANSWER);
    json_array_foreach(candidates, i, job)
        buf_print(&list, "\n  %s  %-9s  %s", doc_text(job, "id"),
                  doc_text(job, "state"), doc_text(job, "name"));
    log_fatal(CLI_REFUSED, "%zu jobs begin with `%s`:%s",
              json_array_size(candidates), text, buf_text(&list));
}

json_t *job_seek(struct cli *cli, const char *text)
{
    json_t *job = is_whole_id(text) ? job_get(cli, text) : NULL;
    if (job != NULL)
        return job;
    const char *path =
        client_path(cli->client, "/v1/jobs?limit=1000&q=%s", text);
    json_t *jobs = client_list(cli->client, path, "jobs", "cursor", LIMIT_JOBS);
    enum job_match match = job_match(jobs, text, &job);
    if (match == JOB_MANY)
        end_ambiguous(text, job);
    if (match == JOB_NONE)
        job = NULL;
    json_incref(job);
    json_decref(jobs);
    return job;
}

json_t *job_find(struct cli *cli, const char *text)
{
    json_t *job = job_seek(cli, text);
    if (job == NULL)
        log_fatal(CLI_REFUSED, "no job `%s` (see `frameq ls --all`)", text);
    return job;
}

/* Whether two failures are the same but for the frame. */
static bool is_alike(const json_t *a, const json_t *b)
{
    return b != NULL && doc_is(b, "fault", doc_text(a, "fault")) &&
           doc_is(b, "text", doc_text(a, "text"));
}

/* Takes the failures from index i on that are alike: their frames into ret.
 * Returns the index behind them. */
static size_t failures_take(const json_t *failures, size_t i,
                            struct ranges *ret)
{
    const json_t *first = json_array_get(failures, i);
    do {
        int64_t frame = doc_int(json_array_get(failures, i), "frame");
        if (frame >= 0 && frame <= LIMIT_FRAME_MAX)
            ranges_add(ret, (int32_t)frame, (int32_t)frame + 1);
        i++;
    } while (is_alike(first, json_array_get(failures, i)));
    return i;
}

static void failure_tell(const json_t *failure, const struct ranges *set,
                         const struct term *term, struct buf *out)
{
    struct frames all = {0};
    frames_span(&all, 0, LIMIT_FRAME_MAX, 1); /* ordinal = number */
    buf_print(out, "  ");
    term_paint(term, RED, glyph_text(glyph_find("failed"), term), out);
    buf_print(out, " frame%s ", set->count == 1 ? "" : "s");
    frames_list(&all, set, LIMIT_FRAME_SPANS, out);
    buf_print(out, "  %s: %s\n", doc_text(failure, "fault"),
              doc_text(failure, "text"));
    frames_free(&all);
}

void job_tell_failures(const json_t *job, const struct term *term,
                       struct buf *out)
{
    const json_t *failures = json_object_get(job, "failures");
    for (size_t i = 0, next; i < json_array_size(failures); i = next) {
        struct ranges set = {0};
        const json_t *failure = json_array_get(failures, i);
        const char *fault = doc_text(failure, "fault");
        next = failures_take(failures, i, &set);
        failure_tell(failure, &set, term, out);
        if (!doc_is(json_array_get(failures, next), "fault", fault))
            buf_print(out, "    %s\n", fault_remedy(fault_find(fault)));
        ranges_free(&set);
    }
}

void job_tell_end(const json_t *job, const struct term *term, const char *hint,
                  struct buf *out)
{
    struct bar bar = job_bar(job);
    const char *reason = doc_text(job, "reason");
    buf_print(out, "%s %s: %lld of %lld frames done", job_label(job),
              doc_text(job, "state"), (long long)bar.done,
              (long long)bar.total);
    if (bar.failed > 0)
        buf_print(out, ", %lld failed", (long long)bar.failed);
    buf_print(out, "%s%s\n", *reason != '\0' ? ": " : "", reason);
    job_tell_failures(job, term, out);
    if (bar.failed > 0)
        buf_print(out, "  again: frameq retry %.8s%s\n", doc_text(job, "id"),
                  hint);
}

int job_code(const json_t *job)
{
    return doc_is(job, "state", "completed") ? CLI_DONE : CLI_FAILED;
}
