/* SPDX-License-Identifier: Apache-2.0
 *
 * One lease and its life beside a node: posted, polled, trimmed, stopped,
 * ended. PURE: `now_ms` and answers come in, acts go out; it sees no socket,
 * file or clock. A node's silence is never taken for a "no", and nothing is
 * ever posted twice where that could start it twice.
 */
#ifndef FRAMEQ_WORKER_AGENT_LEASE_H
#define FRAMEQ_WORKER_AGENT_LEASE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/msg.h"
#include "worker-agent/acts.h"
#include "worker-agent/node_answer.h"
#include "worker-agent/node_facts.h"

enum lease_phase {
    PHASE_TAKEN,    /* not posted yet, or the POST is on its way */
    PHASE_UNSURE,   /* posted; whether the node took it is not known */
    PHASE_RUNNING,  /* the node has it, as `pid` */
    PHASE_SETTLING, /* the node is done with it; its files are looked at */
    PHASE_OVER
};

/* What must be told to the broker, and how soon. */
enum news { NEWS_NONE, NEWS_PROGRESS, NEWS_NOW };

struct frame_result {
    bool done, acked;
    int32_t ms;
    char *files; /* owned; NULL when acked or not known */
};

struct lease {
    uint64_t id;
    char *job, *name, *render, *trace;
    int32_t from, to, step; /* as it stands now */
    bool replace, plain;
    bool fetching; /* its scene is on its way here: nothing is posted yet */
    char *blend;   /* where the scene lies here, instead of what render says;
                      owned; NULL: as render says */

    enum lease_phase phase;
    int64_t pid, revision;       /* at the node; 0: not known */
    int64_t posted_ms;           /* first POST; 0: none yet */
    struct frame_result *frames; /* by place in from..to as taken */
    int32_t n_frames;            /* as taken */
    int32_t frame, permille;     /* rendering now; -1 */

    /* What the broker or a signal wants of it. */
    bool revoked; /* stop it */
    bool closed;  /* settled: forget it once it is over */
    int32_t trim; /* end after this frame; -1: no such wish */

    /* Calls. */
    bool calling[CALLS]; /* on its way */
    int64_t due_ms;      /* next POST or POLL */
    int64_t stop_ms;     /* next STOP */
    int64_t failing_ms;  /* since when calls fail; 0: they don't */
    int32_t trim_asked;  /* least frame the node was asked to end after and
                            answered; INT32_MAX: none */
    bool stop_agreed;
    bool unsaved;            /* differs from the journal */
    bool settle_asked, told; /* ACT_SETTLE, ACT_ENDED are out */
    bool shown_over;         /* a STATE has shown its end: all others will */

    /* The node's verdict while settling, then the lease's. */
    enum answer_word verdict;
    int32_t status, fault, blamed;
    char *text; /* owned; may be NULL */

    enum news news;
    struct lease *prev, *next;
};

/* What a lease needs to know of its surroundings. */
struct lease_view {
    const struct node_facts *node;
    bool proving;     /* files are looked at: a classic node's word is not taken
                         for them */
    int64_t frame_ms; /* what a frame takes here, launch included; 0: unknown */
    int64_t down_ms;  /* since when the node is not up; 0: it is */
};

/* lease_new takes a batch. Owned by the caller. */
struct lease *lease_new(const struct msg_batch *batch, int64_t now_ms);
void lease_free(struct lease **lease);

/* lease_adopt makes it one that was posted at posted_ms as pid (0: whether the
 * node took it is not known), from an earlier run. */
void lease_adopt(struct lease *lease, int64_t posted_ms, int64_t pid,
                 int64_t now_ms);

/* lease_step adds what is to be done now; lease_due returns when to call it
 * again (INT64_MAX: not before something comes in). */
void lease_step(struct lease *lease, const struct lease_view *view,
                int64_t now_ms, struct acts *acts);
int64_t lease_due(const struct lease *lease, const struct lease_view *view);

/* lease_answer takes what the node said to a call. */
void lease_answer(struct lease *lease, const struct lease_view *view,
                  int64_t now_ms, enum call call,
                  const struct node_answer *answer);

/* lease_proven notes a frame as done; files is copied. One that is not its own
 * or is done already changes nothing. */
void lease_proven(struct lease *lease, int32_t frame, int32_t ms,
                  const char *files);

/* lease_settled ends a settling lease: every file there is was looked at. */
void lease_settled(struct lease *lease, const struct lease_view *view,
                   int64_t now_ms);

/* The broker's orders; see docs/protocol.md. */
void lease_ack(struct lease *lease, const struct msg_ack *ack);
void lease_revoke(struct lease *lease);
void lease_trim(struct lease *lease, int32_t to);

/* lease_fetched: its scene lies at blend; NULL: it will not come, which ends it
 * by that fault and text. */
void lease_fetched(struct lease *lease, int64_t now_ms, const char *blend,
                   enum fault fault, const char *text);

/* lease_leave gives back what has not begun. */
void lease_leave(struct lease *lease, const struct lease_view *view);

/* lease_lose ends it as of unknown outcome: there is no way to ask. */
void lease_lose(struct lease *lease, const char *why);

/* lease_abandon ends it as stopped, whatever the node does. */
void lease_abandon(struct lease *lease);

/* lease_overdue tells whether it should have ended long ago. */
bool lease_overdue(const struct lease *lease, const struct lease_view *view,
                   int64_t now_ms);

/* lease_done counts frames with a result, lease_count its frames. */
int32_t lease_done(const struct lease *lease);
int32_t lease_count(const struct lease *lease);

#endif
