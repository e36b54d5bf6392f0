/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v1/activity: who did what, when, newest first, a page at a time. Read
 * through the ledger's thread.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"
#include "broker/views/view.h"
#include "common/app/clock.h"
#include "common/mem.h"

#define PAGE_DEFAULT 100

static bool read_since(struct call *call, int64_t *ret_ms)
{
    const char *text = call_query(call, "since");
    if (!text)
        return true;
    int64_t span_ms = clock_span(text);
    *ret_ms = span_ms >= 0 ? broker_now(call->http->broker) - span_ms
                           : clock_parse(text);
    if (span_ms >= 0 || *ret_ms >= 0)
        return true;
    reply_problem(call, RC_INVALID,
                  "parameter `since`: must be a span such as 12h or 30d, or a "
                  "time such as 2026-11-24T20:00:00Z (RFC 3339)");
    return false;
}

static bool read_text(struct call *call, const char *name, size_t most,
                      const char **ret)
{
    const char *text = call_query(call, name);
    *ret = text ? text : "";
    if (strlen(*ret) <= most)
        return true;
    reply_problem(call, RC_INVALID, "parameter `%s`: at most %zu bytes", name,
                  most);
    return false;
}

static bool read_query(struct call *call, struct activity_query *ret)
{
    static const struct field_bounds limits = {1, LIMIT_PAGE};
    int64_t limit = PAGE_DEFAULT;
    *ret = (struct activity_query){.before = INT64_MAX, .since_ms = INT64_MIN};
    bool right = read_since(call, &ret->since_ms) &&
                 read_text(call, "job", LIMIT_ID, &ret->job) &&
                 read_text(call, "agent", LIMIT_AGENT, &ret->agent) &&
                 read_text(call, "user", LIMIT_NAME, &ret->who) &&
                 call_number(call, "limit", limits, &limit) &&
                 call_cursor(call, &ret->before);
    ret->limit = (size_t)limit + 1; /* one more tells of a next page */
    return right;
}

static json_t *view_row(const struct activity *row)
{
    json_t *view = json_object();
    view_put(view, "id", json_integer(row->number));
    view_put(view, "at", view_time(row->at_ms));
    view_put(view, "last_at", view_time(row->last_ms));
    view_put(view, "times", json_integer(row->times));
    view_put(view, "what", json_string(row->what));
    view_put(view, "user", view_text_or_null(row->who));
    view_put(view, "job", view_text_or_null(row->job));
    view_put(view, "job_name", view_text_or_null(row->name));
    view_put(view, "agent", view_text_or_null(row->agent));
    view_put(view, "text", view_text_or_null(row->text));
    return view;
}

static void show(void *ctx, const struct activity *rows, size_t n)
{
    struct call *call = ctx;
    const size_t *limit = call_unpark(call);
    char cursor[32] = "";
    size_t shown = n < *limit ? n : *limit - 1;
    json_t *list = json_array();
    for (size_t i = 0; i < shown; i++)
        json_array_append_new(list, view_row(&rows[i]));
    if (shown < n)
        snprintf(cursor, sizeof cursor, "%" PRId64, rows[shown - 1].number);
    json_t *page = json_object();
    view_put(page, "activity", list);
    view_put(page, "next", view_text_or_null(cursor));
    mem_free((void *)(uintptr_t)limit);
    reply_json(call, 200, page);
}

static void leave(struct call *call)
{
    store_forget(broker_store(call->http->broker), call);
}

static void get_activity(struct call *call)
{
    struct activity_query query;
    if (!read_query(call, &query))
        return;
    size_t *limit = mem_new(sizeof *limit);
    *limit = query.limit;
    call_park(call, limit, leave, mem_free);
    store_activity(broker_store(call->http->broker), &query, show, call);
}

const struct route routes_activity[] = {
    {"GET", "/v1/activity", get_activity, TOKEN_READ},
    {0},
};
