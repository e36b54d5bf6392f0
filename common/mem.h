/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that is either there or ends the program. frameq bounds every input
 * at the door, so running out of memory is not an answer to bad input but a
 * machine that cannot go on; the ledger makes a restart cheap.
 */
#ifndef FRAMEQ_COMMON_MEM_H
#define FRAMEQ_COMMON_MEM_H

#include <stddef.h>

/* mem_new returns n zeroed bytes (n may be 0), owned by the caller; release
 * with mem_free. Aborts when there is no memory. */
void *mem_new(size_t n);

/* mem_grow returns old resized to hold count items of size bytes each, the
 * new part not zeroed. old may be NULL. Aborts on overflow or no memory. */
void *mem_grow(void *old, size_t count, size_t size);

/* mem_text returns an owned copy of text; NULL gives NULL. */
char *mem_text(const char *text);

/* mem_copy returns an owned copy of n bytes. */
void *mem_copy(const void *bytes, size_t n);

/* mem_free releases what the others returned; NULL is allowed. */
void mem_free(void *p);

#endif
