/* SPDX-License-Identifier: Apache-2.0
 *
 * The node's /job API as calls and answers. Builds requests, reads whatever
 * comes back (bounded, strict where it matters, deaf to words it does not
 * know), decides nothing.
 */
#ifndef FRAMEQ_WORKER_AGENT_NODE_CLIENT_H
#define FRAMEQ_WORKER_AGENT_NODE_CLIENT_H

#include "worker-agent/lease.h"
#include "worker-agent/node_answer.h"
#include "worker-agent/node_watch.h"
#include "worker-agent/web.h"

struct node_client;

/* Answers arrive from web_run; what they point to lives during the call. */
struct node_client_hooks {
    void (*answered)(void *ctx, uint64_t lease, enum call call,
                     const struct node_answer *answer);
    void (*probed)(void *ctx, const struct probe_answer *answer);
    void *ctx;
};

/* node_client_open makes a client of the node at url ("http://host:port"). web
 * is borrowed and must be closed first, so that no answer comes later. */
struct node_client *node_client_open(struct web *web, const char *url,
                                     const struct node_client_hooks *hooks);
void node_client_close(struct node_client **client);

void node_client_probe(struct node_client *client, int64_t now_ms,
                       enum probe probe);

/* One call each about a lease; facts tell how this node is spoken to. */
void node_client_post(struct node_client *client, int64_t now_ms,
                      const struct lease *lease,
                      const struct node_facts *facts);
void node_client_poll(struct node_client *client, int64_t now_ms,
                      const struct lease *lease,
                      const struct node_facts *facts);
void node_client_trim(struct node_client *client, int64_t now_ms,
                      const struct lease *lease, int32_t to);
void node_client_stop(struct node_client *client, int64_t now_ms,
                      const struct lease *lease);

#endif
