/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads what a node answered: HTTP status and body into a struct node_answer
 * or struct node_facts. Pure but for its arena. A node may be of another
 * version, another make, or broken: nothing it says is trusted beyond its
 * bounds, and words nobody knows mean that it goes on.
 */
#ifndef FRAMEQ_WORKER_AGENT_NODE_REPLY_H
#define FRAMEQ_WORKER_AGENT_NODE_REPLY_H

#include "common/arena.h"
#include "worker-agent/node_answer.h"
#include "worker-agent/node_watch.h"
#include "worker-agent/web.h"

/* node_reply_read reads the answer to a call; ours tells that the node is one
 * that speaks JSON. Everything ret points to is in arena. */
void node_reply_read(enum call call, bool ours, const struct web_answer *web,
                     struct arena *arena, struct node_answer *ret);

/* node_reply_probe reads the answer to GET /info or GET /health. */
void node_reply_probe(enum probe probe, const struct web_answer *web,
                      struct arena *arena, struct probe_answer *ret);

#endif
