/* SPDX-License-Identifier: Apache-2.0
 *
 * The files of an uploaded scene: a list of {path, sha256, size}, its first
 * item the .blend to open, the others at the places it looks for them. Read
 * strictly, by broker and agent alike: a path stays below the folder it is laid
 * out in. Touches no file.
 */
#ifndef FRAMEQ_COMMON_APP_MANIFEST_H
#define FRAMEQ_COMMON_APP_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BLOB_NAME 64 /* lower-case hex digits of a SHA-256 */

/* blob_is_name tells whether text is the name of a blob and nothing else;
 * blob_name writes that of a sum of 32 bytes. */
bool blob_is_name(const char *text);
void blob_name(const unsigned char *sum, char ret[BLOB_NAME + 1]);

/* blob_field checks a field that is such a name, as fields.h wants it. */
bool blob_field(const json_t *value, const void *unused, char *why,
                size_t size);

struct manifest_file {
    char *path; /* relative, with '/', no part `.` or `..` */
    char name[BLOB_NAME + 1];
    uint64_t size; /* bytes */
};

/* A zeroed one is empty; manifest_done releases it. */
struct manifest {
    struct manifest_file *files; /* the first is the .blend */
    size_t n;
};

/* manifest_read reads a list of 1 to LIMIT_MANIFEST files; manifest_parse the
 * same from text. On failure they return false with the reason in why ("item
 * 2: `path` must not have a part `..`"), and ret is empty. */
bool manifest_read(const json_t *list, struct manifest *ret, char *why,
                   size_t size);
bool manifest_parse(const char *text, size_t len, struct manifest *ret,
                    char *why, size_t size);
void manifest_done(struct manifest *manifest);

/* manifest_json is the list again, owned; the same for the same files. */
json_t *manifest_json(const struct manifest *manifest);

/* A job names its manifest, itself a blob, as "blob:<name>/<file>.blend": the
 * file's name is for people. blend_write returns that, owned; blend_is_blob
 * tells whether a job's blend is one, and copies the name. */
char *blend_write(const char *name, const struct manifest *manifest);
bool blend_is_blob(const char *blend, char ret_name[BLOB_NAME + 1]);

#endif
