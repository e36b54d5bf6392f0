/* SPDX-License-Identifier: Apache-2.0
 *
 * When the next STATE leaves: at once for what the broker acts on, 20 a second
 * for progress, every 2 s in any case; in quick succession while the broker has
 * not given us a lane yet, since the first ones may be lost. PURE.
 */
#ifndef FRAMEQ_WORKER_AGENT_PACE_H
#define FRAMEQ_WORKER_AGENT_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "worker-agent/lease.h"

struct pace {
    int64_t sent_ms, due_ms;
    int64_t hello_ms; /* between STATEs of an agent without a lane */
};

void pace_init(struct pace *pace, int64_t now_ms);

/* pace_news: there is something to tell. pace_ask: the broker wants a STATE
 * within so many ms. */
void pace_news(struct pace *pace, int64_t now_ms, enum news news);
void pace_ask(struct pace *pace, int64_t now_ms, int64_t within_ms);

/* pace_hello: new sockets; nobody may have heard us yet. */
void pace_hello(struct pace *pace, int64_t now_ms);

/* pace_sent: a STATE left; seated tells whether we have a lane. */
void pace_sent(struct pace *pace, int64_t now_ms, bool seated);

#endif
