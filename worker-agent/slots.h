/* SPDX-License-Identifier: Apache-2.0
 *
 * All leases of this agent and the room for more: the agent's truth, of which
 * STATE is a copy. PURE, like the broker's core: inputs change it, slots_step
 * decides what is to be done, slots_state shows it. It refuses a batch by not
 * listing it: the broker then gives it elsewhere.
 */
#ifndef FRAMEQ_WORKER_AGENT_SLOTS_H
#define FRAMEQ_WORKER_AGENT_SLOTS_H

#include "common/arena.h"
#include "common/msg.h"
#include "worker-agent/lease.h"

struct slots {
    int32_t wanted; /* --slots; 0: what the node offers */
    bool proving;   /* there is a --frames-dir */
    struct node_facts node;
    int64_t down_ms;      /* since when the node is not up; 0: it is */
    struct lease *leases; /* by prev/next, oldest first */
    size_t n_leases;
    bool leaving;
    int64_t now_ms;                   /* of the last input */
    int64_t pause_ms, pause_until_ms; /* after starts that were refused */
    char pause_why[LIMIT_REASON + 1];
    int64_t frame_ms; /* running mean of launches that ended well */
    int32_t shown;    /* slots as of the last slots_step */
    enum news news;   /* what slots_news has not given out yet */
};

void slots_init(struct slots *slots, int32_t wanted, bool proving);
void slots_done(struct slots *slots);

struct lease *slots_find(const struct slots *slots, uint64_t id);

/* slots_batch takes a batch where there is room. Returns whether it did (true
 * for one it has already). */
bool slots_batch(struct slots *slots, int64_t now_ms,
                 const struct msg_batch *batch);

/* slots_adopt takes one that an earlier run had posted (see lease_adopt);
 * slots_adopt_lost one that can't be asked for any more. */
void slots_adopt(struct slots *slots, int64_t now_ms,
                 const struct msg_batch *batch, int64_t posted_ms, int64_t pid);
void slots_adopt_lost(struct slots *slots, int64_t now_ms,
                      const struct msg_batch *batch, const char *why);

/* What comes in; id is of a lease, an unknown one is no error. */
void slots_node(struct slots *slots, int64_t now_ms,
                const struct node_facts *facts);
void slots_answer(struct slots *slots, int64_t now_ms, uint64_t id,
                  enum call call, const struct node_answer *answer);
void slots_proven(struct slots *slots, uint64_t id, int32_t frame, int32_t ms,
                  const char *files);
void slots_settled(struct slots *slots, int64_t now_ms, uint64_t id);
void slots_fetching(struct slots *slots, uint64_t id);
void slots_fetched(struct slots *slots, int64_t now_ms, uint64_t id,
                   const char *blend, enum fault fault, const char *text);
void slots_acks(struct slots *slots, const struct msg_acks *acks);
void slots_revoke(struct slots *slots, uint64_t id);
void slots_trim(struct slots *slots, const struct msg_trim *trim);
void slots_leave(struct slots *slots);
void slots_abandon(struct slots *slots);

/* slots_step decides; acts are in the order they must be done. slots_next
 * returns when to call it again at the latest, INT64_MAX: after an input. */
void slots_step(struct slots *slots, int64_t now_ms, struct acts *acts);
int64_t slots_next(const struct slots *slots);

/* slots_news tells how soon a STATE is due, and forgets it. */
enum news slots_news(struct slots *slots);

/* slots_live counts leases that are not over. */
size_t slots_live(const struct slots *slots);

/* slots_room returns how many leases may run at once now, with the reason in
 * why (borrowed) when that is none. */
int32_t slots_room(const struct slots *slots, const char **ret_why);

/* slots_state fills slots, why, leaving and the leases of a STATE. Results that
 * do not fit wait for the next one; a lease is shown as over only together
 * with all its results that are not acknowledged yet, and from then on in every
 * STATE. */
void slots_state(struct slots *slots, struct arena *arena,
                 struct msg_state *ret);

#endif
