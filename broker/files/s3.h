/* SPDX-License-Identifier: Apache-2.0
 *
 * A bucket of an S3-compatible store, and the objects below a prefix of it that
 * are named by the SHA-256 of their bytes. The store is asked what it has, told
 * to drop, and named to others by presigned URLs; no bytes go through here.
 * What it has counts only where the store itself says that hash of it.
 */
#ifndef FRAMEQ_BROKER_FILES_S3_H
#define FRAMEQ_BROKER_FILES_S3_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct s3;

/* s3_is_place is the check of --store: s3://BUCKET or s3://BUCKET/PREFIX. */
const char *s3_is_place(const char *value);

/* s3_open takes a place that has passed s3_is_place, and keys, region and
 * endpoint from the environment, by the names other tools have for them. Asks
 * nobody. Returns NULL with the reason in why. */
struct s3 *s3_open(const char *place, char *why, size_t size);
void s3_close(struct s3 **s3);

/* s3_origin returns scheme, host and port. Borrowed. */
const char *s3_origin(const struct s3 *s3);

/* s3_url_get and s3_url_put return presigned URLs of an object, owned, good for
 * S3_EXPIRES_S. Who puts must send transfer.h's header. */
#define S3_EXPIRES_S 3600
char *s3_url_get(const struct s3 *s3, const char *name);
char *s3_url_put(const struct s3 *s3, const char *name);

/* s3_look asks for an object, and waits for the answer, at most S3_ANSWER_MS;
 * s3_drop has it removed, true: it is not there any more. One thread's. Where
 * the store does not answer as it should, why (of size bytes, both may be given
 * as NULL, 0) says so and what to do. */
#define S3_ANSWER_MS 10000
enum s3_found { S3_THERE, S3_ABSENT, S3_UNKNOWN };
enum s3_found s3_look(struct s3 *s3, const char *name, uint64_t *ret_size,
                      char *why, size_t size);
bool s3_drop(struct s3 *s3, const char *name);

/* s3_stop, of any thread, ends a wait for the store, and all later ones. */
void s3_stop(struct s3 *s3);

#endif
