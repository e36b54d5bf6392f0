/* SPDX-License-Identifier: Apache-2.0
 *
 * A submit, the same for the classic route and for /v1: body, idempotency key,
 * room, and the new job's id.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_SUBMIT_H
#define FRAMEQ_BROKER_PEOPLE_SUBMIT_H

#include "broker/people/call.h"

/* submit_job makes the job that a call's body asks for; or finds the one that
 * an earlier call with the same key and body made; or answers the refusal and
 * returns NULL. classic: a body of from and to alone makes a plain job. */
const struct job *submit_job(struct call *call, bool classic);

#endif
