/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests that block, for threads beside the loop: what all of them set.
 */
#ifndef FRAMEQ_WORKER_AGENT_EASY_H
#define FRAMEQ_WORKER_AGENT_EASY_H

#include <curl/curl.h>
#include <stdatomic.h>

struct trust;

struct easy_request {
    const char *url;
    const char *token; /* a bearer's; NULL: none */
    const struct trust
        *trust;              /* of the broker; NULL: what the machine trusts */
    long timeout_ms;         /* for all of it */
    const atomic_bool *stop; /* gives it up once it is true */
};

/* easy_begin makes curl ready for a GET, in place of whatever it did before. No
 * proxy, no redirects, no signals. */
void easy_begin(CURL *curl, const struct easy_request *request);

#endif
