/* SPDX-License-Identifier: Apache-2.0
 *
 * The head of an HTTP/1 request (RFC 9112), strictly: what two programs could
 * read in two ways is refused. A head is looked at as it came over the wire,
 * or header by header where somebody else has parsed it. Pure; answers nobody.
 */
#ifndef FRAMEQ_COMMON_HTTP_HEAD_H
#define FRAMEQ_COMMON_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>

#include "common/rc.h"

#define HEAD_SHOWN_MAX 256

/* What has been seen so far. Zeroed, then rc is RC_OK. */
struct head {
    enum rc rc;      /* the first thing that was wrong */
    char why[128];   /* "header `Host`: more than one"; "" while RC_OK */
    bool old;        /* HTTP/1.0 */
    bool chunked;    /* its body comes in chunks */
    bool has_length; /* ... or is this long: */
    unsigned long long length;
    int headers, hosts, encodings;
    char target[HEAD_SHOWN_MAX]; /* their beginnings, for the answer */
    char accept[HEAD_SHOWN_MAX];
};

/* head_starts tells whether n bytes may be the beginning of a request. When
 * not, ret has the reason. */
bool head_starts(const char *bytes, size_t n, struct head *ret);

/* head_end returns the length of the head that n bytes begin with, its blank
 * line included, however its lines end; 0 when it is not whole. */
size_t head_end(const char *bytes, size_t n);

/* head_read looks at a whole head of n bytes, as head_end found it; none at
 * all is fine. */
void head_read(const char *bytes, size_t n, struct head *ret);

/* head_add looks at one header, head_finish at what all of them say together.
 */
struct head_text {
    const char *at;
    size_t len;
};
void head_add(struct head *head, struct head_text name, struct head_text value);
void head_finish(struct head *head);

/* head_overflow refuses a head that passes LIMIT_HEAD. */
void head_overflow(const char *bytes, size_t n, struct head *ret);

#endif
