/* SPDX-License-Identifier: Apache-2.0
 *
 * Ledger records: one durable or lazy event as bytes and back. A record is a
 * msgpack array led by its format version; it never depends on struct layout.
 * Pure; hostile bytes are refused.
 */
#ifndef FRAMEQ_BROKER_RECORD_H
#define FRAMEQ_BROKER_RECORD_H

#include "broker/core/core.h"

#define RECORD_VERSION 1

/* record_encode appends the record of an event that is not soft. */
void record_encode(const struct event *event, struct buf *out);

/* record_decode reads exactly len bytes into ret, all pointers in arena.
 * Returns false with the reason in why: cut off, wrong types, out of bounds,
 * or of a newer version. */
bool record_decode(const void *bytes, size_t len, struct arena *arena,
                   struct event *ret, char *why, size_t size);

#endif
