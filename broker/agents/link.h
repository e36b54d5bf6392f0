/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker's end of the agents' protocol (docs/protocol.md): SUB status, PUB
 * control, one PUSH lane an agent. Messages become commands; events become
 * messages. It decides nothing.
 */
#ifndef FRAMEQ_BROKER_AGENTS_LINK_H
#define FRAMEQ_BROKER_AGENTS_LINK_H

#include <stddef.h>
#include <stdint.h>

#include "broker/broker.h"

struct keys;
struct link;

struct link_options {
    const char *host;          /* to bind */
    int status_port;           /* 0: three free ones in a row; control is +1,
                                  feed +2 */
    int lanes_low, lanes_high; /* ports for lanes */
    struct keys *keys;         /* whose agents are let in, borrowed; NULL:
                                  anybody */
};

/* link_open binds status and control and watches status for closed
 * connections. Returns NULL with the reason in why. */
struct link *link_open(const struct link_options *options, char *why,
                       size_t size);

/* link_start gives it its broker, whose events it projects from now on. */
void link_start(struct link *link, struct broker *broker);
void link_close(struct link **link);

int link_status_port(const struct link *link);

/* For zmq_poll: the sockets to watch for input. */
void *link_status(const struct link *link);
void *link_monitor(const struct link *link);
void *link_control(const struct link *link);

/* link_read takes what waits there, at most LIMIT_DRAIN_PER_TURN
 * messages of each and for LIMIT_READ_MS. */
void link_read(struct link *link);

/* link_settle does what is due: agents whose key was taken back are cut off,
 * batches that could not be sent go back, what was acknowledged this turn
 * leaves, one ACK an agent, BEAT every second, rested ports are free again.
 * link_next: when it must run. */
void link_settle(struct link *link, int64_t now_ms);
int64_t link_next(const struct link *link);

#endif
