/* SPDX-License-Identifier: Apache-2.0
 *
 * A real frameq-broker for one measurement: its own process, a ledger on the
 * disk of a new folder that goes with it.
 */
#ifndef FRAMEQ_TESTS_BENCH_HOST_H
#define FRAMEQ_TESTS_BENCH_HOST_H

#include <stdbool.h>

#include "tests/bench/child.h"

struct host {
    struct child child;
    int http_port, status_port, control_port, feed_port;
    bool keys; /* agents need a key */
};

/* host_start starts the broker that lies beside this program, its folder made
 * below `below`, keys as wanted. It answers once this returns; any error ends
 * the program. */
void host_start(struct host *host, const char *below, bool keys);

/* host_stop ends it and removes its folder. */
void host_stop(struct host *host);

#endif
