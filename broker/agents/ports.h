/* SPDX-License-Identifier: Apache-2.0
 *
 * Free ports in a row, for `--zmq HOST:0`.
 */
#ifndef FRAMEQ_BROKER_AGENTS_PORTS_H
#define FRAMEQ_BROKER_AGENTS_PORTS_H

/* ports_free_row returns the first of n ports in a row that were all free on
 * host a moment ago (somebody may take them since: bind, and ask again if that
 * fails), or 0 when none were found. host is numeric or a name. */
int ports_free_row(const char *host, int n);

#endif
