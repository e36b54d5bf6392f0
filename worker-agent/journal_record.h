/* SPDX-License-Identifier: Apache-2.0
 *
 * One record of the journal as bytes and back. Pure; what is read is checked
 * like a message from the network.
 */
#ifndef FRAMEQ_WORKER_AGENT_JOURNAL_RECORD_H
#define FRAMEQ_WORKER_AGENT_JOURNAL_RECORD_H

#include "common/arena.h"
#include "common/buf.h"
#include "common/limits.h"
#include "worker-agent/journal.h"

#define JOURNAL_RECORD_MAX (LIMIT_SPEC + 8192) /* bytes of one */

/* journal_encode appends a record; asserts that it keeps every limit. Look at
 * out->over. */
void journal_encode(const struct journal_record *record, struct buf *out);

/* journal_decode reads exactly len bytes into ret (zeroed by the caller), texts
 * in arena. Returns false with the reason in why. */
bool journal_decode(const void *bytes, size_t len, struct arena *arena,
                    struct journal_record *ret, char *why, size_t size);

#endif
