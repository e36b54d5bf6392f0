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
