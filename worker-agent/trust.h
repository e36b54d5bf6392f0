/* SPDX-License-Identifier: Apache-2.0
 *
 * What an https broker's certificate is held against.
 */
#ifndef FRAMEQ_WORKER_AGENT_TRUST_H
#define FRAMEQ_WORKER_AGENT_TRUST_H

#include <curl/curl.h>

#include "common/app/join.h"

#define TRUST_PIN 64 /* "sha256//", base64 of JOIN_PIN bytes, NUL */

struct trust {
    const char *ca; /* file of certificates (PEM), borrowed; NULL: those that
                       this machine trusts */
    char pin[TRUST_PIN]; /* "": none; else the one key that will do, whoever
                            signed it, whatever name it is for, and expired or
                            not */
};

/* trust_fill takes the pin of a join string (NULL: none). A file that was named
 * is held against in its place. */
void trust_fill(struct trust *trust, const char *ca, const struct join *join);

/* trust_set has curl's next requests to the broker look. */
void trust_set(const struct trust *trust, CURL *curl);

#endif
