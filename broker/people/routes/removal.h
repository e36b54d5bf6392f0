/* SPDX-License-Identifier: Apache-2.0
 *
 * DELETE /v1/jobs/{id}?frames=delete: an ended job goes, and the pictures it
 * wrote go first, so that a broker killed in between has forgotten nothing it
 * has not removed.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_ROUTES_REMOVAL_H
#define FRAMEQ_BROKER_PEOPLE_ROUTES_REMOVAL_H

#include "broker/people/call.h"

/* removal_begin answers 204 once all is gone, 200 with {"left":[...]} when some
 * files could not be removed (the first LEFT_MAX of them), 404, or 409 while
 * the job has not ended. */
void removal_begin(struct call *call);

#endif
