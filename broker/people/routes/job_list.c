/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v1/jobs: newest first, a page at a time. A cursor is the ledger number
 * of the last job shown, so that jobs coming and going shift nothing.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"
#include "broker/views/view.h"
#include "common/text.h"

#define PAGE_DEFAULT 100
#define LINK_MAX     (LIMIT_REASON - 1)

struct filter {
    unsigned states; /* bits by enum job_status; 0: all */
    const char *q, *user;
    int64_t limit;
    uint64_t before; /* jobs with a lower number */
};

static int find_state(const char *word, size_t len)
{
    for (int i = 0; i < JOB_STATES; i++)
        if (text_equals(job_status_word((enum job_status)i), word, len))
            return i;
    return -1;
}

static bool read_states(struct call *call, unsigned *ret)
{
    const char *at = call_query(call, "state");
    while (at && *at) {
        size_t len = strcspn(at, ",");
        int state = find_state(at, len);
        if (state < 0) {
            reply_problem(call, RC_INVALID,
                          "parameter `state`: must be queued, running, paused, "
                          "completed, failed or cancelled, or some of them "
                          "with commas between");
            return false;
        }
        *ret |= 1u << state;
        at += len + (at[len] == ',');
    }
    return true;
}

static bool read_text(struct call *call, const char *name, const char **ret)
{
    *ret = call_query(call, name);
    if (!*ret || strlen(*ret) <= LIMIT_NAME)
        return true;
    reply_problem(call, RC_INVALID, "parameter `%s`: at most %d bytes", name,
                  LIMIT_NAME);
    return false;
}

static bool read_filter(struct call *call, struct filter *ret)
{
    static const struct field_bounds limit = {1, LIMIT_PAGE};
    int64_t before = INT64_MAX;
    *ret = (struct filter){.limit = PAGE_DEFAULT};
    if (!read_states(call, &ret->states) || !read_text(call, "q", &ret->q) ||
        !read_text(call, "user", &ret->user) ||
        !call_number(call, "limit", limit, &ret->limit) ||
        !call_cursor(call, &before))
        return false;
    ret->before = (uint64_t)before;
    return true;
}

static bool filter_fits(const struct filter *filter, const struct job *job)
{
    if (job->number >= filter->before)
        return false;
    if (filter->states && !(filter->states & 1u << job_status(job)))
        return false;
    if (filter->user && strcmp(filter->user, job->user) != 0)
        return false;
    return !filter->q || strcasestr(job->name, filter->q) ||
           strstr(job->id, filter->q);
}

static const struct job *list_last(const struct core *core)
{
    return core->jobs ? core->jobs->prev : NULL;
}

static const struct job *list_before(const struct core *core,
                                     const struct job *job)
{
    return job == core->jobs ? NULL : job->prev;
}

/* Fills page; returns the cursor of the next one, 0 when there is none. */
static uint64_t collect(const struct core *core, const struct filter *filter,
                        json_t *page)
{
    uint64_t last = 0;
    for (const struct job *job = list_last(core); job;
         job = list_before(core, job)) {
        if (!filter_fits(filter, job))
            continue;
        if ((int64_t)json_array_size(page) == filter->limit)
            return last;
        json_array_append_new(page, view_job(core, job));
        last = job->number;
    }
    return 0;
}

static void add_encoded(struct buf *out, const char *name, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-_.~,";
    if (!text)
        return;
    buf_print(out, "&%s=", name);
    for (; *text; text++) {
        if (strchr(plain, *text))
            buf_add(out, text, 1);
        else
            buf_print(out, "%%%02X", (unsigned char)*text);
    }
}

/* The states in the table's order: what was sent may have been longer. */
static void add_states(struct buf *out, unsigned states)
{
    const char *joint = "&state=";
    for (int i = 0; i < JOB_STATES; i++)
        if (states & 1u << i) {
            buf_print(out, "%s%s", joint, job_status_word((enum job_status)i));
            joint = ",";
        }
}

static void link_next(struct call *call, const struct filter *filter,
                      uint64_t next)
{
    struct buf link;
    buf_init(&link, LINK_MAX);
    buf_print(&link, "</v1/jobs?limit=%" PRId64 "&cursor=%" PRIu64,
              filter->limit, next);
    add_states(&link, filter->states);
    add_encoded(&link, "q", filter->q);
    add_encoded(&link, "user", filter->user);
    buf_print(&link, ">; rel=\"next\"");
    reply_header(call, "Link", "%s", buf_text(&link));
    buf_free(&link);
}

static void get_jobs(struct call *call)
{
    struct filter filter;
    char cursor[32];
    if (!read_filter(call, &filter))
        return;
    json_t *page = json_array();
    uint64_t next = collect(call_core(call), &filter, page);
    snprintf(cursor, sizeof cursor, "%" PRIu64, next);
    json_t *list = json_object();
    view_put(list, "jobs", page);
    view_put(list, "next", next ? json_string(cursor) : json_null());
    if (next)
        link_next(call, &filter, next);
    reply_json(call, 200, list);
}

const struct route routes_job_list[] = {
    {"GET", "/v1/jobs", get_jobs, TOKEN_READ},
    {0},
};
