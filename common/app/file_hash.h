/* SPDX-License-Identifier: Apache-2.0
 *
 * The SHA-256 of a file as it is now, by which files are known to one another
 * (manifest.h). Reads all of it, which takes a second for a gigabyte: not for a
 * loop that others wait for.
 */
#ifndef FRAMEQ_COMMON_APP_FILE_HASH_H
#define FRAMEQ_COMMON_APP_FILE_HASH_H

#include <stdbool.h>
#include <stddef.h>

#include "common/app/manifest.h"

/* Called with each n bytes that were read; false ends it. */
typedef bool file_hash_step(void *ctx, size_t n);

/* file_hash reads the open file fd from its first byte to its last, its
 * position left where it is, and writes its name. step may be NULL. Returns
 * false with errno when it cannot be read, ECANCELED when step ended it. */
bool file_hash(int fd, file_hash_step *step, void *ctx,
               char ret[BLOB_NAME + 1]);

/* file_has_hash tells whether the file at path is one of that name; false as
 * well where it cannot be read. A link, device or pipe is not. */
bool file_has_hash(const char *path, const char *name);

#endif
