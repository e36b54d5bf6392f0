/* SPDX-License-Identifier: Apache-2.0
 *
 * The picture files that frames' facts name. The names come from agents, so
 * nothing but a whole regular file with a picture's suffix is ever opened or
 * removed by them.
 */
#ifndef FRAMEQ_BROKER_FILES_PICTURE_FILE_H
#define FRAMEQ_BROKER_FILES_PICTURE_FILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* One entry of a fact's file list. Borrowed from its JSON. */
struct picture_file {
    const char *path, *sha256; /* sha256 "" when not known */
    int64_t bytes;             /* -1 when not known */
};

/* picture_file_read takes an entry {"path","bytes","sha256"}; false when it is
 * none, or its path is relative or has no picture's suffix. */
bool picture_file_read(const json_t *entry, struct picture_file *ret);

/* picture_file_type returns the media type by the suffix of path, or NULL. */
const char *picture_file_type(const char *path);

/* picture_file_open opens it for reading. Returns the descriptor, owned, and
 * its size; -1 when it is not there, no regular file, or not of that size. */
int picture_file_open(const struct picture_file *file, uint64_t *ret_size);

/* picture_file_remove removes it. Returns true when it is gone, also when it
 * was gone already; false when it could not, or is another file by now. */
bool picture_file_remove(const struct picture_file *file);

#endif
