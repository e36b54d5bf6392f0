/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v1/jobs/{id}/frames: frames with all that is known of them, a page at a
 * time.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_ROUTES_FRAME_LIST_H
#define FRAMEQ_BROKER_PEOPLE_ROUTES_FRAME_LIST_H

#include "broker/people/call.h"

/* frame_list_begin answers with the page that the query asks for: ?state=,
 * ?from= (frame number), ?limit=. */
void frame_list_begin(struct call *call, const struct job *job);

#endif
