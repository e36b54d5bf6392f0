/* SPDX-License-Identifier: Apache-2.0
 *
 * What request headers say, as far as the broker listens: preferences, tags,
 * keys, event ids. Pure; every text may be hostile, NULL is a header
 * that is absent.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_HEADERS_H
#define FRAMEQ_BROKER_PEOPLE_HEADERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"

/* headers_wait_ms returns the wait of a Prefer header (RFC 7240, "wait=30") in
 * ms, at most LIMIT_WAIT_MS; -1 when it has none. */
int64_t headers_wait_ms(const char *prefer);

/* headers_range reads the header Range of a file of size bytes: one part, as
 * bytes=FIRST-, bytes=FIRST-LAST or bytes=-N, the last N. ret->n is 0 where no
 * byte of the file is meant. Returns false for what is none of these (or NULL):
 * the whole file is as good an answer. */
struct headers_part {
    uint64_t offset, n;
};
bool headers_range(const char *range, uint64_t size, struct headers_part *ret);

/* headers_has_tag tells whether a list of entity tags (If-Match,
 * If-None-Match) names tag, which is given without quotes, or is "*". Weak
 * tags count. */
bool headers_has_tag(const char *list, const char *tag);

/* headers_key takes an Idempotency-Key: 1 to LIMIT_KEY visible ASCII
 * characters, quotes around them taken off. Returns false for anything else.
 */
bool headers_key(const char *value, char ret[LIMIT_KEY + 1]);

/* headers_event reads "<epoch>:<seq>". */
bool headers_event(const char *value, uint64_t *ret_epoch, uint64_t *ret_seq);

#endif
