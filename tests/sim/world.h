/* SPDX-License-Identifier: Apache-2.0
 *
 * Read this first: a whole farm in one process and in virtual time. The real
 * core and the real broker.c with its gates stand in the middle (hub.c);
 * agents and their nodes (worker.c, node.c), the network between (wire.c), the
 * disk (ledger.c), people (people.c) and every kind of bad luck (faults.c) are
 * models. All that happens stands in one agenda (agenda.c) and all chance
 * comes from one seed, so a seed is a whole story (story.c tells it). judge.c
 * looks on and knows what must never happen; stats.c counts what did.
 */
#ifndef FRAMEQ_TESTS_SIM_WORLD_H
#define FRAMEQ_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broker/broker_internal.h"
#include "broker/core/state.h"
#include "common/arena.h"
#include "common/buf.h"
#include "common/msg.h"
#include "tests/sim/agenda.h"
#include "tests/sim/rng.h"
#include "tests/sim/stats.h"

#define SIM_WORKERS 12
#define EPOCH_MS    1000000000 /* of the broker's clock when a world begins */
#define SIM_JOBS    16         /* over one story */

/* What kind of world a seed makes. Chances in permille, gaps are means. */
struct weather {
    int drop, duplicate;
    int trip;  /* steps with records soon after which the broker crashes */
    int split; /* durable events right after which it does, in the middle of
                  their step */
    int64_t delay_ms;
    int64_t kill_gap_ms, cut_gap_ms, crash_gap_ms, node_gap_ms; /* 0: never */
    int64_t full_gap_ms, freeze_gap_ms;
    int64_t person_gap_ms;
    int64_t commit_ms;   /* at most, for one commit */
    int64_t wall_ms;     /* at most, that the wall clock moves at a restart */
    uint64_t crash_at;   /* event of the core after which the broker crashes;
                            0: none */
    int64_t calm_ms;     /* when all faults are over */
    int fail;            /* frames that fail */
    int lie;             /* frames said to be done without a whole picture */
    int hang;            /* frames that take many times as long */
    int32_t results_max; /* results an agent puts into one STATE */
};

/* A job as it was submitted, and what nodes find when they render it. */
struct sim_job {
    char id[LIMIT_ID + 1];
    struct frames frames;
    int64_t *whole_ms; /* by ordinal: when a node last made a whole picture of
                          it; 0: never */
    int64_t frame_ms;
    int32_t poison;   /* frame number on which every launch crashes; -1 */
    int32_t deadly;   /* frame number that takes every node down; -1 */
    bool panics;      /* with its whole machine */
    enum fault fault; /* what every launch meets at once; FAULT_NONE */
    bool promised;    /* its submission was answered */
    bool forgotten;   /* a person asked to forget it */
};

/* One frame of a launch. */
struct shot {
    bool done, acked;
    int32_t ms;
    int64_t began_ms;
};

/* A lease as its agent knows it, with the node's work on it. */
struct launch {
    uint64_t lease;
    const struct sim_job *job;
    int32_t from, to, step;
    struct shot *shots; /* by place in from..to as taken */
    int32_t at;         /* place of the frame in work; -1: none yet */
    bool revoked;
    bool shown;       /* a STATE has shown it as over */
    int64_t asked_ms; /* when this run of the agent has asked the node of it */
    int32_t status, fault, blamed;
    struct launch *prev, *next;
};

/* The connections of an agent, as bits of those that are cut. */
enum cut {
    CUT_STATUS = 1,  /* STATEs are lost */
    CUT_CONTROL = 2, /* LANE, ACK, REVOKE, TRIM, BEAT are lost */
    CUT_LANE = 4,    /* BATCHes are lost */
    CUT_ALL = 7
};

/* An agent and the node beside it. */
struct worker {
    int id;
    char name[LIMIT_AGENT + 1];
    bool rival; /* has the name of another */
    bool gone;  /* killed for good */
    /* What it is. */
    int32_t slots;
    int speed; /* 1..10 */
    bool classic, can_trim, can_stop;
    bool vague; /* does not say which frame a launch failed at */
    const char *tags[3];
    size_t n_tags;
    /* How it fares. */
    bool alive;    /* the agent; its node works on without it */
    int cut;       /* enum cut */
    bool leaving;  /* shutting down in good order */
    bool sick;     /* the node refuses every start */
    uint64_t life; /* grows with each start and death: older timers are void */
    uint64_t node; /* the same for the node */
    /* What the protocol makes it remember. */
    uint64_t inc, seq, epoch, lane, dseq;
    int64_t pause_ms;  /* no slots until then */
    int64_t missed_ms; /* when a lease of it last ended badly, as the broker's
                          clock; 0: never */
    int64_t heard_ms;  /* when the youngest message to it arrives */
    int64_t told_ms;   /* when the youngest one of it arrives */
    struct launch *launches;
};

struct record {
    char *bytes;
    size_t len;
    int64_t at_ms; /* when it was written, in the time of the world */
};

/* The ledger: record i has seq i + 1. */
struct ledger {
    struct record *at;
    size_t n, cap;
    uint64_t disk;    /* seq that is on disk */
    uint64_t writing; /* seq of the commit under way; 0: none */
    bool full;        /* no more fits than `room` */
    int64_t room;     /* records */
    bool known;       /* digest is that of the core at `disk` */
    uint64_t digest, writing_digest;
    bool writing_known;
};

/* What broker.c calls the store: here, the ledger of a world. */
struct store {
    struct world *world;
};

/* Something that waits at the gate of broker.c. */
struct answer {
    struct world *world;
    uint64_t seq;        /* last durable event it may show */
    int to;              /* worker an ACK is for; -1: a person */
    struct msg_ack ack;  /* for the worker */
    struct sim_job *job; /* of the person's submission; may be NULL */
};

/* The broker: broker.c in the place of loop.c and link.c. */
struct hub {
    struct broker *broker; /* NULL while it is down */
    struct core *core;     /* the broker's */
    struct store store;
    struct broker_facts facts;
    uint64_t life;     /* of this run of it: older timers are void */
    uint64_t durable;  /* seq of the last durable event */
    size_t stepped;    /* events of the step at hand */
    bool heard;        /* the STATE it is about counted */
    bool doomed;       /* it crashes with the step at hand */
    int64_t skew_ms;   /* its clock less EPOCH_MS and the world's */
    int64_t wakes_ms;  /* it stands still until then */
    int64_t tick_ms;   /* when the next tick is queued; INT64_MAX: none */
    int64_t ticked_ms; /* when the last tick was */
    int ticks;         /* at that time */
};

struct judge;

/* Which story: a seed, and where the broker is made to crash in it. */
struct story {
    uint64_t seed;
    uint64_t crash_at; /* 0: as the seed has it; CRASH_NEVER; or after that
                          event of the core */
    bool verbose;
};
#define CRASH_NEVER UINT64_MAX

struct world {
    struct rng rng;
    int64_t now_ms;
    struct agenda agenda;
    struct weather weather;
    struct core_options options;
    bool calm;
    bool over;
    struct hub hub;
    struct ledger ledger;
    struct judge *judge;
    struct worker workers[SIM_WORKERS];
    int n_workers;
    struct sim_job jobs[SIM_JOBS];
    int n_jobs;
    struct stats stats;
    uint64_t digest; /* of all events: the same seed, the same digest */
    bool verbose;
};

static inline void struck(struct world *world, enum fault_kind kind)
{
    world->stats.struck[kind]++;
}

/* world.c: later adds what is to happen after delay_ms. */
void later(struct world *world, int64_t delay_ms,
           const struct happening *happening);

/* draw.c: fills a zeroed world from its seed. */
void world_draw(struct world *world);
/* draw_job makes a job that was never there before; spec lives in arena. */
struct sim_job *draw_job(struct world *world, struct arena *arena,
                         struct job_spec *ret_spec);

/* world.c: world_run lives through a story, adds to stats what happened, and
 * returns the digest of it. */
uint64_t world_run(const struct story *story, struct stats *stats);

/* tell writes a line of the story, when anybody listens. */
void tell(const struct world *world, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* fail ends the program: the named invariant does not hold. */
_Noreturn void fail(const struct world *world, const char *invariant,
                    const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* story.c: an event of the core in words. */
void tell_event(const struct world *world, const struct event *event);

/* hub.c */
void hub_start(struct world *world);
void hub_crash(struct world *world);
/* hub_freeze stops the broker for ms; suspended: its clock stands too. */
void hub_freeze(struct world *world, int64_t ms, bool suspended);
void hub_wake(struct world *world);
/* hub_now is what its clock says. */
int64_t hub_now(const struct world *world);
/* hub_turn begins a turn of the loop; false: there is no broker to do it. What
 * comes in (hub_do) belongs into a turn. */
bool hub_turn(struct world *world);
enum rc hub_do(struct world *world, const struct cmd *cmd);
/* hub_answer lets an answer go once all that it shows is on disk. */
void hub_answer(struct world *world, const struct answer *answer);
void hub_hear(struct world *world, const struct happening *happening);
void hub_gone(struct world *world, const struct worker *worker);
void hub_done(struct world *world);

/* ledger.c: store_note and store_poll of broker/ledger/store.h besides. */
void ledger_write(struct world *world); /* starts a commit, if none is on */
void ledger_crash(struct world *world);
/* ledger_replay fills a new core with what is on disk, calling each (may be
 * NULL) after every event. */
struct core *ledger_replay(struct world *world,
                           void (*each)(struct world *, const struct event *));
void ledger_done(struct ledger *ledger);

/* wire.c: the network. Bytes are copied. */
void wire_up(struct world *world, struct worker *worker, const struct msg *msg);
void wire_down(struct world *world, const char *agent, const struct msg *msg);

/* worker.c: the agent's side of the protocol. */
void worker_start(struct world *world, struct worker *worker);
/* worker_die ends the agent's process; the node stays. hint: the broker sees
 * its connection close. */
void worker_die(struct world *world, struct worker *worker, bool hint);
void worker_hear(struct world *world, const struct happening *happening);
void worker_report(struct world *world, struct worker *worker);
void worker_forget(struct worker *worker, struct launch *launch);
int32_t worker_running(const struct worker *worker);

/* node.c: the node's work on a launch. */
void node_launch(struct world *world, struct worker *worker,
                 struct launch *launch);
void node_stop(struct world *world, struct worker *worker,
               struct launch *launch);
/* node_trim tells whether the launch is shorter now. */
bool node_trim(struct launch *launch, const struct worker *worker, int32_t to);
/* node_die ends all launches; lost: without a trace. */
void node_die(struct world *world, struct worker *worker, bool lost);
void launch_end(struct launch *launch, enum lease_status status,
                enum fault fault);
int32_t launch_frames(const struct launch *launch);

/* faults.c */
void faults_begin(struct world *world);
void faults_end(struct world *world);
/* faults_trip may let the broker crash before its last records are on disk. */
void faults_trip(struct world *world);
/* fault_deadly: what a node renders takes it down, or its whole machine. */
void fault_deadly(struct world *world, struct worker *worker, bool panics);

/* people.c */
void people_begin(struct world *world);
/* people_tidy does what lets every job end: resumes, lifts drains, cancels what
 * waits for a job that failed. */
void people_tidy(struct world *world);

/* judge.c: the names of the rules are those that a failure prints. */
struct judge *judge_new(void);
void judge_free(struct judge **judge);
void judge_reset(struct judge *judge);
/* judge_event looks at an event that happened, or is replayed. */
void judge_event(struct world *world, const struct event *event);
void judge_grant(const struct world *world, const struct event *event);
/* judge_before and judge_after look at a STATE before and after it is heard. */
void judge_before(const struct world *world, const struct msg_state *state);
void judge_after(const struct world *world, const struct msg_state *state);
void judge_answer(const struct world *world, const struct answer *answer);
/* judge_has_use tells whether a picture of a frame is the first one of it since
 * it was submitted or last retried. */
bool judge_has_use(const struct world *world, const struct sim_job *job,
                   int32_t ordinal);
/* judge_batch looks at what an agent is told to render. */
void judge_batch(const struct world *world, const struct msg_batch *batch);
/* judge_step: what must hold after every step. */
void judge_step(const struct world *world);
/* judge_replay: a replay of the ledger gives the core as it is. */
void judge_replay(struct world *world);
void judge_promises(const struct world *world);

#endif
