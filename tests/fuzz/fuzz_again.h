/* SPDX-License-Identifier: Apache-2.0
 *
 * What every kind of bytes with a reader and a writer keeps: any input is read
 * or refused with a reason that can be shown to people; what was read can be
 * written, reads again, and is written as the same bytes.
 */
#ifndef FRAMEQ_TESTS_FUZZ_FUZZ_AGAIN_H
#define FRAMEQ_TESTS_FUZZ_FUZZ_AGAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"

/* fuzz_pass reads len bytes (what it needs lies in arena) and appends what was
 * read to out. Returns false, having written nothing, with the reason in why.
 */
typedef bool fuzz_pass(const void *bytes, size_t len, struct arena *arena,
                       struct buf *out, char *why, size_t size);

/* fuzz_again asserts all of it; most: bytes that may be written. */
void fuzz_again(fuzz_pass *pass, size_t most, const uint8_t *bytes, size_t len);

#endif
