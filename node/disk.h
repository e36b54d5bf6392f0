/* SPDX-License-Identifier: Apache-2.0
 *
 * How much room a file system has.
 */
#ifndef FRAMEQ_NODE_DISK_H
#define FRAMEQ_NODE_DISK_H

#include <stdbool.h>
#include <stdint.h>

/* disk_free returns the bytes that may still be written on the file system of
 * path; UINT64_MAX when that cannot be told. */
uint64_t disk_free(const char *path);

/* disk_is_full: less than LIMIT_DISK_FREE. */
bool disk_is_full(const char *path);

#endif
