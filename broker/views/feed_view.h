/* SPDX-License-Identifier: Apache-2.0
 *
 * Core events as feed events: which of them people see, under which topic, and
 * with which keys (docs/protocol.md, "Feed"). Pure.
 */
#ifndef FRAMEQ_BROKER_VIEWS_FEED_VIEW_H
#define FRAMEQ_BROKER_VIEWS_FEED_VIEW_H

#include "broker/core/state.h"
#include "common/buf.h"

struct feed_view {
    const char *type; /* static; NULL: people do not see this event */
    char topic[LIMIT_ID + 16];
    struct buf *body; /* members as text, each with its comma before it; without
                         id, seq and time */
};

/* feed_view_event writes what people see of an event that was just applied;
 * body, borrowed, must be empty. */
struct feed_view feed_view_event(const struct core *core,
                                 const struct event *event, struct buf *body);

#endif
