/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of text for an event of the feed. Pure.
 */
#ifndef FRAMEQ_CLI_WATCH_EVENT_H
#define FRAMEQ_CLI_WATCH_EVENT_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/term.h"
#include "common/buf.h"

/* event_tell appends what happened as a line, "14:07:31 shot_020 #96 done on
 * node-2 in 38 s". Returns false, appending nothing, for events that say
 * nothing to people (progress, leases). */
bool event_tell(const json_t *event, const struct term *term, struct buf *out);

/* event_is_of tells whether an event is about the job with that id. */
bool event_is_of(const json_t *event, const char *job);

#endif
