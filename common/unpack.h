/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads msgpack where it lies, value by value, from bytes nobody vouches for.
 * Allocates nothing: a header that claims a million items costs nothing until
 * they are read. It knows no more of msgpack than frameq's formats use: no
 * floats, binaries, maps or extensions, except to skip them.
 */
#ifndef FRAMEQ_COMMON_UNPACK_H
#define FRAMEQ_COMMON_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is left to read; borrowed from the caller. */
struct unpack {
    const unsigned char *at, *end;
};

/* unpack_of begins at the first of len bytes. */
struct unpack unpack_of(const void *bytes, size_t len);

/* Each of these reads one value and moves past it. It returns false, and
 * neither moves nor touches ret, when the next value is of another type, out of
 * ret's range or not wholly there. */
bool unpack_bool(struct unpack *in, bool *ret);
bool unpack_i64(struct unpack *in, int64_t *ret);
bool unpack_u64(struct unpack *in, uint64_t *ret);

/* unpack_text reads a string, borrowed from the bytes and without a NUL; it
 * may hold anything, zero bytes too. */
bool unpack_text(struct unpack *in, const char **ret_text, size_t *ret_len);

/* unpack_array reads the head of an array; its items follow one by one. There
 * are at least as many bytes left as the count it gives. */
bool unpack_array(struct unpack *in, size_t *ret_count);

/* unpack_skip passes over one whole value of any type. */
bool unpack_skip(struct unpack *in);

#endif
