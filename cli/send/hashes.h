/* SPDX-License-Identifier: Apache-2.0
 *
 * The SHA-256 of files that an earlier submit has read, so that the next one
 * does not read them all again. Never believed of a file that could have
 * changed since: its path, size, inode and both times must be what they were,
 * and those times older than the reading, for a change within one tick of the
 * file system's clock leaves them as they are. A cache: whatever is wrong with
 * it, files are read again.
 */
#ifndef FRAMEQ_CLI_SEND_HASHES_H
#define FRAMEQ_CLI_SEND_HASHES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "common/app/manifest.h"

struct hashes;

/* hashes_open reads the file `hashes` in the folder dir (NULL: nothing is known
 * and nothing kept). now_ms: the wall clock, before any file is read. */
struct hashes *hashes_open(const char *dir, int64_t now_ms);

/* hashes_find writes the name of the file at path, which is as facts say;
 * false: it has to be read. */
bool hashes_find(struct hashes *hashes, const char *path,
                 const struct stat *facts, char ret[BLOB_NAME + 1]);

/* hashes_note keeps the name that was read of a file as it was before and after
 * (facts). One that changed a moment before hashes_open is not kept. */
void hashes_note(struct hashes *hashes, const char *path,
                 const struct stat *facts, const char *name);

/* hashes_close writes what there is, LIMIT_HASHES of those used last, and
 * releases it. */
void hashes_close(struct hashes **hashes);

/* hashes_forget removes the file in dir. */
void hashes_forget(const char *dir);

#endif
