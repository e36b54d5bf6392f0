/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files agent*.c share: the agent itself, and what one of them offers
 * the others. For nobody else.
 */
#ifndef FRAMEQ_WORKER_AGENT_AGENT_INTERNAL_H
#define FRAMEQ_WORKER_AGENT_AGENT_INTERNAL_H

#include <inttypes.h>

#include "worker-agent/address.h"
#include "worker-agent/agent.h"
#include "worker-agent/cache.h"
#include "worker-agent/courier.h"
#include "worker-agent/journal.h"
#include "worker-agent/keeper.h"
#include "worker-agent/link.h"
#include "worker-agent/node_client.h"
#include "worker-agent/pace.h"
#include "worker-agent/proof.h"
#include "worker-agent/seat.h"
#include "worker-agent/sender.h"
#include "worker-agent/session.h"
#include "worker-agent/slots.h"

struct agent {
    const struct agent_options *options;
    struct address broker;
    int64_t now_ms;
    int signals;
    int64_t leave_ms; /* when to end at the latest; 0: not leaving */
    bool ready, ending;
    char not_found[256]; /* why the broker is not found, as last told; "" */
    bool refused;        /* that it refuses our key was told */
    char *why;           /* where agent_run wants its reason */
    size_t why_size;

    struct slots slots;
    struct node_watch watch;
    struct session session;
    struct seat seat;
    struct pace pace;
    uint64_t seq;

    struct web *web;
    struct node_client *node;
    struct link *link;
    struct journal *journal;
    struct cache *cache;
    struct sender *sender;
    struct courier *courier;
    struct proof *proof;   /* NULL: no --frames-dir */
    struct keeper *keeper; /* NULL: no --start-node */
    struct acts acts;
    struct arena arena; /* of the turn */
};

#define LEASE_FORMAT    "lease=%" PRIu64 "-%" PRIu64
#define LEASE_WORDS(id) LEASE_EPOCH(id), (id)-LEASE_ID(LEASE_EPOCH(id), 0)

/* agent_random returns 64 random bits. */
uint64_t agent_random(void);

/* agent_broker.c: hooks of link.h and farm.h; and STATE. */
void agent_heard(void *ctx, enum link_end from, const struct msg *msg);
void agent_cut(void *ctx, enum link_end end);
void agent_refused(void *ctx, enum link_end end);
void agent_farm(void *ctx, uint64_t id, int kind,
                const struct web_answer *answer);
void agent_send_state(struct agent *agent);

/* agent_node.c: hooks of node_client.h and journal.h; acts and proofs. */
void agent_answered(void *ctx, uint64_t lease, enum call call,
                    const struct node_answer *answer);
void agent_probed(void *ctx, const struct probe_answer *answer);
void agent_adopt(void *ctx, const struct journal_record *record);
void agent_step_proof(struct agent *agent);
void agent_step_slots(struct agent *agent);

/* agent_frames.c: agent_sends has sent what there is of frames that the broker
 * acknowledges: thumbnails, logs, pictures where it wants them; before
 * slots_acks, which forgets them. agent_asked does so with one that somebody
 * looks at. */
void agent_sends(struct agent *agent, const struct msg_acks *acks);
void agent_asked(struct agent *agent, const struct msg_ask *ask);

/* agent_scene.c: uploaded scenes. agent_fetches has the scene of a lease
 * brought here where it is one and is not here yet, which is posted then; else
 * returns false. agent_holds keeps that of an adopted one. */
bool agent_fetches(struct agent *agent, const struct lease *lease);
void agent_holds(struct agent *agent, const struct msg_batch *batch);
void agent_step_scenes(struct agent *agent);

#endif
