/* SPDX-License-Identifier: Apache-2.0
 *
 * Ledger records: one durable or lazy event as bytes and back. A record is a
 * msgpack array [version, word, at_ms, fields...]; SUBMITTED has the fields of
 * a job, PACKED all that became of one; all other types share one list, so that
 * no type can lose a field. Types and faults are written as their words: a
 * record depends neither on struct layout nor on the order of an enum. Fields
 * are only ever appended, and a reader passes over those it does not know.
 * Pure; hostile bytes are refused.
 */
#ifndef FRAMEQ_BROKER_LEDGER_RECORD_H
#define FRAMEQ_BROKER_LEDGER_RECORD_H

#include "broker/core/core.h"

#define RECORD_VERSION 1

/* record_encode appends the record of an event that is not soft, without its
 * seq. Asserts that record_decode would take it. Look at out->over. */
void record_encode(const struct event *event, struct buf *out);

/* record_decode reads exactly len bytes into ret, all pointers in arena; seq
 * is 0. Texts that were not set are NULL (job, agent) or "". CANCELLED, RETRIED
 * and FAILED always have frames. Returns false with the reason in why: cut
 * off, wrong types, out of bounds, not sound, or of a newer version. */
bool record_decode(const void *bytes, size_t len, struct arena *arena,
                   struct event *ret, char *why, size_t size);

#endif
