/* SPDX-License-Identifier: Apache-2.0
 *
 * Presigned requests to an S3-compatible store: AWS Signature Version 4 in the
 * query of a URL, which whoever has it may use until it expires, for that
 * method and that object alone. Pure: no clock, no socket.
 */
#ifndef FRAMEQ_BROKER_FILES_S3_SIGN_H
#define FRAMEQ_BROKER_FILES_S3_SIGN_H

#include <stdint.h>

struct s3_key {
    const char *id, *secret, *region;
};

struct s3_request {
    const char *method;
    const char *host;   /* as the header Host will be */
    const char *path;   /* of [A-Za-z0-9._~/-] alone */
    const char *header; /* one more that must be sent as signed, a name behind
                           `host` in the alphabet: "x-amz-...:value"; NULL */
    int64_t at_ms;      /* since 1970 */
    int expires_s;
};

/* s3_presign returns path and query, owned. */
char *s3_presign(const struct s3_key *key, const struct s3_request *request);

#endif
