/* SPDX-License-Identifier: Apache-2.0
 *
 * What a client is told that is refused: a line of text, or problem+json
 * (RFC 9457) where it asked for JSON.
 */
#ifndef FRAMEQ_COMMON_HTTP_REFUSAL_H
#define FRAMEQ_COMMON_HTTP_REFUSAL_H

#include <stdbool.h>

#include "common/buf.h"
#include "common/rc.h"

struct refusal {
    enum rc rc;
    const char *detail;
    const char *path; /* of the request; NULL: not known */
    bool json;
};

/* refusal_in_json tells how to refuse: in JSON below /v1, elsewhere where
 * Accept prefers it. Both may be NULL. */
bool refusal_in_json(const char *path, const char *accept);

/* refusal_write appends the body and returns its Content-Type (static). */
const char *refusal_write(const struct refusal *refusal, struct buf *out);

/* refusal_send writes a whole answer to a socket as far as that goes without
 * waiting; it ends the connection. */
void refusal_send(int fd, const struct refusal *refusal);

#endif
