/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's three sockets: PUB for STATE, SUB for control, PULL for its lane.
 * All connect outwards. Messages are decoded whole before anything sees them;
 * what is wrong is dropped. Decides nothing about leases or reconnecting.
 */
#ifndef FRAMEQ_WORKER_AGENT_LINK_H
#define FRAMEQ_WORKER_AGENT_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <zmq.h>

#include "common/app/join.h"
#include "common/msg.h"

struct link;

enum link_end { LINK_CONTROL, LINK_LANE };

struct link_hooks {
    /* A message from control or from the lane; lives during the call. */
    void (*heard)(void *ctx, enum link_end from, const struct msg *msg);
    /* A connection was closed. The lane's is not connected again. */
    void (*cut)(void *ctx, enum link_end end);
    /* The broker refuses our key: libzmq tries no more on that socket. */
    void (*refused)(void *ctx, enum link_end end);
    void *ctx;
};

/* link_open: join has the keys, NULL for none. What it is given is copied. */
struct link *link_open(const char *agent, const struct join *join,
                       const struct link_hooks *hooks);

/* link_close gives the last STATE up to a second to leave. */
void link_close(struct link **link);

/* link_connect makes new status and control sockets to the ports of host (IPv6
 * in brackets); it drops the lane. */
void link_connect(struct link *link, const char *host, int status_port,
                  int control_port);

/* link_take_lane connects to a lane's port, link_drop_lane closes it. */
void link_take_lane(struct link *link, int port);
void link_drop_lane(struct link *link);

/* link_send publishes a STATE; lost when there is no connection. */
void link_send(struct link *link, const struct msg *msg);

/* link_items fills what to poll for and returns how many there are. link_run
 * takes what has come, calling the hooks. */
#define LINK_ITEMS 4
int link_items(const struct link *link, zmq_pollitem_t items[LINK_ITEMS]);
void link_run(struct link *link);

#endif
