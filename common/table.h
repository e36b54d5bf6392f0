/* SPDX-License-Identifier: Apache-2.0
 *
 * Hash tables (uthash) and lists (utlist) with frameq's memory: it is there,
 * or all ends. Include this instead of the two.
 */
#ifndef FRAMEQ_COMMON_TABLE_H
#define FRAMEQ_COMMON_TABLE_H

#include <stdlib.h>

#include "common/mem.h"

#define uthash_malloc(size)   mem_new(size)
#define uthash_free(p, size)  mem_free(p)
#define uthash_fatal(message) abort()
#include <uthash.h>
#include <utlist.h>

#endif
