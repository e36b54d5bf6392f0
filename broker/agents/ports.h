/* SPDX-License-Identifier: Apache-2.0
 *
 * Free ports in a row, for `--zmq HOST:0`, and what HOST stands for.
 */
#ifndef FRAMEQ_BROKER_AGENTS_PORTS_H
#define FRAMEQ_BROKER_AGENTS_PORTS_H

#include <stdbool.h>
#include <stddef.h>

/* ports_free_row returns the first of n ports in a row that were all free on
 * host a moment ago (somebody may take them since: bind, and ask again if that
 * fails), or 0 when none were found. host is numeric or a name. */
int ports_free_row(const char *host, int n);

/* ports_address writes the address that host, a name or an address, stands for
 * (an IPv4 one where it has both), for libzmq, which binds to nothing else.
 * Returns false, with the reason in why, when it stands for none. */
bool ports_address(const char *host, char *ret, size_t size, char *why,
                   size_t why_size);

#endif
