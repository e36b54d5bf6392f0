/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON as msgpack: the feed's ZeroMQ form has the same keys as its SSE form
 * because it is made from it. Pure.
 */
#ifndef FRAMEQ_BROKER_VIEWS_FEED_PACK_H
#define FRAMEQ_BROKER_VIEWS_FEED_PACK_H

#include <jansson.h>

#include "common/buf.h"

/* feed_pack appends json as msgpack; out->over tells when it did not fit. */
void feed_pack(const json_t *json, struct buf *out);

#endif
