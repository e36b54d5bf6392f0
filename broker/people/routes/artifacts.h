/* SPDX-License-Identifier: Apache-2.0
 *
 * What the routes of frames ask of one another.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_ROUTES_ARTIFACTS_H
#define FRAMEQ_BROKER_PEOPLE_ROUTES_ARTIFACTS_H

#include "broker/people/call.h"

/* frame_ordinal returns the ordinal of the frame in the path; or answers 404,
 * -1. */
int32_t frame_ordinal(struct call *call, const struct job *job);

/* blob_put_body answers a PUT of the file of that name (blob_is_name), or of a
 * piece of it. */
void blob_put_body(struct call *call, const char *name);

/* Where files lie in a store (blobs_s3): blob_stored_get answers for a file of
 * that name, blob_stored_put tells where to put it, blob_stored_reply answers
 * if it is known to lie there, else returns false. */
void blob_stored_get(struct call *call, const char *name);
void blob_stored_put(struct call *call, const char *name);
bool blob_stored_reply(struct call *call, const char *name, const char *type);

#endif
