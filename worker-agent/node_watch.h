/* SPDX-License-Identifier: Apache-2.0
 *
 * Is there a node, what kind is it, is it well? PURE: says when to ask what,
 * and takes the answers. A node that is down is looked for ten times a second
 * at first, once a second later.
 */
#ifndef FRAMEQ_WORKER_AGENT_NODE_WATCH_H
#define FRAMEQ_WORKER_AGENT_NODE_WATCH_H

#include "worker-agent/node_facts.h"

enum probe {
    PROBE_NONE,
    PROBE_INFO,  /* GET /info: our own node tells what it is */
    PROBE_HEALTH /* GET /health: a classic one only that it is there */
};

struct probe_answer {
    enum {
        PROBE_INFORMED, /* facts are filled */
        PROBE_ALIVE,    /* an HTTP server said yes; it told nothing */
        PROBE_STRANGE,  /* an HTTP server said something else */
        PROBE_UNSENT,   /* no connection */
        PROBE_SILENT    /* a connection, and no answer in time */
    } word;
    const struct node_facts *facts; /* PROBE_INFORMED: what GET /info says */
    const char *text;               /* what went wrong, for people */
};

struct node_watch {
    struct node_facts facts;
    enum probe asking; /* on its way */
    enum probe next;
    int64_t due_ms;
    int64_t backoff_ms;
    int32_t silences; /* in a row */
};

void node_watch_init(struct node_watch *watch, int64_t now_ms);

/* node_watch_step returns what to ask now; it is then on its way. */
enum probe node_watch_step(struct node_watch *watch, int64_t now_ms);

/* node_watch_answer takes the answer to what is on its way. */
void node_watch_answer(struct node_watch *watch, int64_t now_ms,
                       const struct probe_answer *answer);

/* node_watch_doubt: a call failed; ask soon. */
void node_watch_doubt(struct node_watch *watch, int64_t now_ms);

/* node_watch_next returns when to call node_watch_step again; INT64_MAX: after
 * an answer. */
int64_t node_watch_next(const struct node_watch *watch);

#endif
