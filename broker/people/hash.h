/* SPDX-License-Identifier: Apache-2.0
 *
 * A short fingerprint of bytes: tells bodies and pages apart that nobody forges
 * on purpose. Not for secrets.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_HASH_H
#define FRAMEQ_BROKER_PEOPLE_HASH_H

#include <stddef.h>
#include <stdint.h>

/* hash_bytes returns FNV-1a (64 bits) of n bytes, the same everywhere. */
uint64_t hash_bytes(const void *bytes, size_t n);

#endif
