/* SPDX-License-Identifier: Apache-2.0
 *
 * Host and port of a URL.
 */
#ifndef FRAMEQ_WORKER_AGENT_ADDRESS_H
#define FRAMEQ_WORKER_AGENT_ADDRESS_H

#include <stdbool.h>

#define ADDRESS_HOST_SIZE 256

struct address {
    char host[ADDRESS_HOST_SIZE]; /* an IPv6 address in brackets */
    int port;
};

/* address_read fills ret from an http or https URL (80 or 443 where it names no
 * port). Returns false when it is none. */
bool address_read(const char *url, struct address *ret);

/* address_is_local tells whether its host is this machine's loopback. */
bool address_is_local(const struct address *address);

#endif
