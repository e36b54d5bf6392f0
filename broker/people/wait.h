/* SPDX-License-Identifier: Apache-2.0
 *
 * Calls that wait for a job to change (Prefer: wait), each for so long at most.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_WAIT_H
#define FRAMEQ_BROKER_PEOPLE_WAIT_H

#include "broker/people/call.h"

/* wait_begin parks a call until the job has another revision, or is no more, or
 * until_ms has come; then resume(call) answers it. Dropped when the client
 * leaves first. */
void wait_begin(struct call *call, const struct job *job, int64_t until_ms,
                void (*resume)(struct call *call));

/* wait_changed ends the waits of a job that may have changed, where it has;
 * wait_due those whose time is over; wait_end_all all. */
void wait_changed(struct http *http, const char *id);
void wait_due(struct http *http, int64_t now_ms);
void wait_end_all(struct http *http);

#endif
