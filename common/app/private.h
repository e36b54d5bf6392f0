/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that hold secrets: of nobody but their owner, written whole or not at
 * all.
 */
#ifndef FRAMEQ_COMMON_APP_PRIVATE_H
#define FRAMEQ_COMMON_APP_PRIVATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* private_read reads path as one JSON object (fields_parse) of at most max
 * bytes, owned. NULL with the reason in why, without the path: it cannot be
 * read, others than its owner may read or write it, it is too large, or no
 * JSON. */
json_t *private_read(const char *path, size_t max, char *why, size_t size);

/* private_bytes appends the bytes of path to ret, within ret's maximum. secret:
 * nobody but its owner may read or write it. Returns false with the reason in
 * why, without the path. */
struct buf;
bool private_bytes(const char *path, bool secret, struct buf *ret, char *why,
                   size_t size);

/* private_write writes root to path anew, mode 0600, durable. Returns false
 * with the reason in why, without the path. */
bool private_write(const char *path, const json_t *root, char *why,
                   size_t size);

#endif
