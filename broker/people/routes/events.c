/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v1/events: the feed as server-sent events, resumed where the reader left
 * off.
 */
#include <string.h>

#include "broker/people/headers.h"
#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"
#include "broker/people/stream.h"

#define TOPICS_MAX 4096 /* some sixty jobs */

/* Where to begin. */
struct start {
    uint64_t seq;
    bool reset; /* what the reader saw last is not of this broker run */
};

/* From the id the reader saw last, of a header or of ?after=; without one from
 * now. Answers 400, false, when it is no id. */
static bool read_start(struct call *call, struct start *ret)
{
    const struct http *http = call->http;
    uint64_t epoch, seq, now = feed_seq(http->feed);
    const char *said_by = "header `Last-Event-ID`";
    const char *last = call_header(call, "Last-Event-ID");
    if (!last || !*last) {
        said_by = "parameter `after`";
        last = call_query(call, "after");
    }
    *ret = (struct start){now, false};
    if (!last || !*last)
        return true;
    if (!headers_event(last, &epoch, &seq)) {
        reply_problem(call, RC_INVALID,
                      "%s: must be an event's id, such as 7:123", said_by);
        return false;
    }
    bool known = epoch == broker_facts(http->broker)->epoch && seq <= now;
    *ret = (struct start){known ? seq : now, !known};
    return true;
}

static bool topics_good(struct call *call, const char *topics)
{
    if (!topics ||
        (strlen(topics) <= TOPICS_MAX && stream_topics_check(topics)))
        return true;
    reply_problem(call, RC_INVALID,
                  "parameter `topics`: must be jobs, job:ID or agents, or "
                  "some of them with commas between");
    return false;
}

static bool has_room(struct call *call)
{
    const struct http *http = call->http;
    if (http->draining)
        reply_problem(call, RC_BUSY, "the broker is shutting down");
    else if (http->n_streams >= LIMIT_SSE)
        reply_problem(call, RC_BUSY, "%d event streams are open already",
                      LIMIT_SSE);
    else
        return true;
    return false;
}

static void get_events(struct call *call)
{
    struct start start;
    const char *topics = call_query(call, "topics");
    if (!topics_good(call, topics) || !read_start(call, &start) ||
        !has_room(call))
        return;
    if (strcmp(call->in->method, "HEAD") == 0)
        reply_bytes(call, "text/event-stream", "", 0);
    else
        stream_begin(call, topics, start.seq, start.reset);
}

const struct route routes_events[] = {
    {"GET", "/v1/events", get_events, TOKEN_READ},
    {0},
};
