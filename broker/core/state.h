/* SPDX-License-Identifier: Apache-2.0
 *
 * Read this first: all that the core knows, as open structs. Adapters read
 * them (view.c most of all); only apply.c, and what it calls, writes them.
 *
 * A job is a list of frames (frames.h). The ordinals of those frames are
 * spread over five disjoint sets, one a state: a frame is in exactly one. A
 * lease names a run [lo, hi) of ordinals that an agent renders; `left` are
 * those without a result yet, `held` those of them it owns. A lease that owns
 * less than it renders is a second copy of the rest. A job's status is derived
 * (job_status), never stored.
 */
#ifndef FRAMEQ_BROKER_CORE_STATE_H
#define FRAMEQ_BROKER_CORE_STATE_H

#include "broker/core/core.h"
#include "common/fault.h"
#include "common/limits.h"
#include "common/table.h"

enum frame_state {
#define STATE(name, letter, word) FRAME_##name,
#include "broker/core/states.def"
    FRAME_STATES
};

enum frame_change {
#define CHANGE(name, word) CHANGE_##name,
#include "broker/core/states.def"
    FRAME_CHANGES
};

enum job_status {
    JOB_QUEUED, /* no frame leased or ended yet */
    JOB_RUNNING,
    JOB_PAUSED,    /* the flag is set and frames are left */
    JOB_COMPLETED, /* every frame done */
    JOB_FAILED,    /* ended, at least one frame failed */
    JOB_CANCELLED, /* ended, none failed, at least one cancelled */
    JOB_STATES
};

/* Frame times of a job or an agent: enough for a mean, a spread and p50. */
#define TIMES_BUCKETS                                                          \
    96 /* quarter octaves from 1 ms: up to 4.6 h, then all                     \
        */
struct times {
    int64_t n, max_ms;
    double mean_ms, m2; /* Welford's running variance */
    uint32_t *bucket;   /* TIMES_BUCKETS of them once n > 0 */
};

/* What an agent took for frames of one .blend; see pace.c. */
#define AGENT_PACES 8
struct pace {
    uint64_t scene; /* pace_scene of the .blend */
    uint64_t job;   /* number of the last job of it */
    uint64_t used;  /* ledger number then */
    int64_t frames; /* in mean_ms, but that older jobs count as one; 0: free */
    double mean_ms;
};

/* What frames of a .blend took last, on an agent of speed 1. */
#define CORE_SCENES 64
struct scene_work {
    uint64_t scene, used; /* used 0: free */
    double work_ms;
};

/* A frame that was charged or lost at least once. */
struct attempt {
    int32_t ordinal;
    int32_t charges;
    int32_t copies;        /* second copies of it that failed, charging none */
    int32_t losses;        /* times its node or agent went down; lost.c */
    uint64_t lease;        /* youngest that it was charged or lost for */
    int32_t fault;         /* of the last failure */
    char *text;            /* of the last failure; owned */
    struct agent_name *by; /* agents that failed it, longest ago first */
    struct agent_name *lost_by; /* agents that went down, the same */
    UT_hash_handle hh;
};

/* How far an agent is kept from a job; the least kept there are render it. */
enum bench {
    BENCH_NONE,
    BENCH_DOUBT,  /* it failed several frames that nobody else has tried yet, or
                     one in a way that every frame might */
    BENCH_BENCHED /* it failed several frames that others rendered */
};

/* How an agent stands in a job of which it failed frames; rebuilt by replay. */
struct standing {
    char *name;
    struct job *job;
    int32_t open;  /* frames that only it failed and that have not ended */
    int32_t wrong; /* frames that it failed and others rendered */
    int32_t done;  /* frames it rendered since it first failed one */
    bool benched;
    struct agent *agent; /* whose benches it is in; NULL: none */
    struct standing *agent_prev, *agent_next;
    struct standing *next; /* of the job */
};

struct agent_name {
    char *name;
    struct agent_name *next;
};

/* Where a job waits for its next lease. */
enum job_place {
    PLACE_NONE,  /* nothing pending, or paused */
    PLACE_GATED, /* core.gated: its last durable event is not on disk yet */
    PLACE_HELD,  /* core.held: not_before or depends_on stand in the way */
    PLACE_QUEUE  /* its user's queue: work to hand out */
};

struct job {
    /* What was asked: owned copies; see struct job_spec. */
    char *id, *name, *user, *key, *blend, *blender, *render, *doc, *trace;
    uint64_t key_hash;
    struct frames frames;
    int32_t batch, priority, max_attempts, max_agents;
    int32_t memory_mb;
    bool gpu, plain;
    int64_t not_before_ms;
    char **depends, **tags;
    size_t n_depends, n_tags;

    /* What became of it. */
    struct ranges in[FRAME_STATES]; /* ordinals by state; disjoint, complete */
    bool paused;
    char *reason;     /* of the cancellation or of the job's end; or NULL */
    enum fault fault; /* why the whole job failed; FAULT_NONE */
    struct agent_name *likely; /* agents that met a failure of reach LIKELY
                                  since a frame was last done */
    struct standing *standings;
    char *avoid;              /* agent a retry asked to avoid, for `avoided` */
    struct ranges avoided;    /* pending frames of that retry */
    struct ranges redo;       /* not done any more though once done: their
                                 new picture replaces */
    struct attempt *attempts; /* by ordinal */
    struct agent_name *blenders; /* Blender versions that rendered frames */
    struct agent_name *versions; /* hashes of the .blend that frames are of */
    struct times times;
    uint64_t scene; /* pace_scene of blend */
    int64_t work_n, noise_n;
    double work_ms; /* mean of frames, on an agent of speed 1 */
    double noise;   /* squares of their distance from their agent's mean, in
                       means; of noise_n frames */
    int64_t created_ms, started_ms, ended_ms; /* 0: not yet */
    uint64_t number; /* ledger number of SUBMITTED: age and list order */
    uint64_t gate;   /* ledger number that must be on disk before work of
                        it is handed out */
    bool packed;     /* a replay found it as PACKED, and nothing since */
    uint64_t fence;  /* newest lease id at its last retry: what an unknown
                        lease up to it says does not count any more */

    /* Soft. */
    enum job_status tally; /* what core.jobs_as counts it under */
    uint64_t revision;     /* grows with every change that a view shows */
    struct lease *leases;  /* list by job_prev/job_next */
    int32_t agents;        /* distinct agents with a lease of it */
    bool doubled;          /* a lease may have frames left that it does not own;
                              else no two have the same left */
    int64_t gather_ms;     /* it waits until all its leases have given back what
                              they were told to, but no longer; 0: it does not */
    enum job_place place;  /* the list of queue_prev/queue_next it is in */
    struct queue *queue;   /* its own, while PLACE_QUEUE */
    struct user *owner;
    struct job *queue_prev, *queue_next;
    struct job *small_prev, *small_next; /* queue->small, where it is small */
    struct job *prev, *next;             /* all jobs, oldest first */
    UT_hash_handle hh;                   /* by id */
    UT_hash_handle hh_key;               /* by key, where it has one */
};

/* A person's jobs of one priority that have work to hand out, oldest first. */
struct user {
    char *name;
    int32_t jobs;    /* of it, ended ones too; the last one takes it along */
    int32_t leases;  /* of them, over all priorities: slots they have */
    int32_t small;   /* of those, of small jobs */
    bool small_last; /* the last one granted was */
    struct queue *queues;
    UT_hash_handle hh;
};

struct queue {
    struct user *user;
    int32_t priority;
    struct job *jobs;                    /* by queue_prev/queue_next */
    struct job *small;                   /* of them, the small ones */
    struct queue *prev, *next;           /* of the user */
    struct queue *rank_prev, *rank_next; /* core.rank[priority] */
};

struct lease {
    uint64_t id;
    struct job *job;
    struct agent *agent;
    int32_t lo, hi;      /* ordinals as the lease stands */
    struct ranges left;  /* of [lo, hi): without a result, not charged */
    struct ranges held;  /* of left: owned, in[FRAME_LEASED] through it */
    uint64_t lane, dseq; /* how it was sent; 0 when adopted */
    int64_t granted_ms;
    bool charged; /* its end was counted for a frame; it ends once */

    /* Soft: from the agent's last STATE. */
    bool seen;          /* a STATE has listed it */
    uint64_t heard_seq; /* of the last STATE that did */
    bool revoked;       /* an order to stop it stands */
    int32_t trim;       /* frame number an order asks to stop after; -1 none */
    int32_t status;     /* enum lease_status */
    int32_t done;       /* frames it says it has rendered */
    int32_t frame;      /* number rendering now; -1 */
    int32_t permille;
    int64_t frame_since_ms; /* when `frame` became so */
    int64_t news_ms;        /* when it last got on: a result, another frame */
    int64_t progress_ms;    /* when progress was last shown */
    bool late;              /* it got on longer ago than it should; tail.c */

    struct lease *job_prev, *job_next;
    struct lease *agent_prev, *agent_next;
    UT_hash_handle hh; /* by id */
};

/* A frame that an agent rendered when it was lost; see lost.c. */
struct fallen {
    char *job;
    int32_t ordinal;
    uint64_t lease;
    struct fallen *next;
};

struct agent {
    char *name;
    /* Durable: what people set. */
    enum drain drain;
    int64_t drain_until_ms; /* 0: for ever */

    /* Soft: from its STATEs. All zero for one that only the ledger knows. */
    bool known; /* has been heard in this broker epoch */
    enum agent_life life;
    uint64_t inc, seq, epoch_seen;
    uint64_t rival; /* another inc heard under this name; 0 none */
    int64_t rival_ms;
    int64_t heard_ms, up_ms, gone_ms;
    int32_t slots, running, unacked;
    bool leaving;
    const char *why, *version; /* owned */
    char **tags;
    size_t n_tags;
    struct msg_node node;     /* texts owned */
    uint64_t lane;            /* 0: none open */
    bool lane_ok;             /* the agent has reported it, since the broker
                                 last slept: batches may go */
    int64_t lane_ms;          /* when it was opened */
    uint64_t lane_sent;       /* dispatch numbers used on it */
    uint64_t lane_seen;       /* highest the agent has reported */
    int64_t unseen_ms;        /* since when lane_sent > lane_seen and lane_seen
                                 has not grown; 0 */
    struct lease *leases;     /* by agent_prev/agent_next */
    struct fallen *fallen;    /* until it is heard again */
    struct standing *benches; /* jobs it is benched for, as far as it was
                                 known then; by agent_prev/agent_next */

    /* Batches that came back untried, one after the other. */
    int32_t misses;        /* in a row */
    int32_t miss_fault;    /* of the last; enum fault */
    int64_t missed_ms;     /* when the last came back */
    int64_t rest_until_ms; /* no work before; 0: it may have some */

    /* What it took for its last frames; soft, rebuilt by replay from DONE. */
    double speed; /* frames per time beside its jobs' mean; 1.0 */
    struct pace paces[AGENT_PACES];
    int32_t launches;      /* in launch_ms, at most 4 */
    double launch_ms;      /* mean from a grant to its first frame */
    double power;          /* its part of core.power */
    int32_t working;       /* its part of core.slots */
    int64_t done, charged; /* frames over this broker's ledger */
    char *last_blend;      /* .blend of its last lease, for locality */

    int32_t room; /* agent_free as last seen; > 0: in core.idle */
    struct agent *idle_prev, *idle_next;
    struct agent *prev, *next; /* all agents, first seen first */
    UT_hash_handle hh;         /* by name */
};

struct core {
    struct core_options options;
    int64_t now_ms;     /* of the last step */
    uint64_t epoch;     /* of this broker run; 0 before CMD_RESTART */
    uint64_t counter;   /* leases granted in this epoch */
    uint64_t lanes;     /* lane ids used in this epoch */
    uint64_t seq;       /* last ledger number given out */
    uint64_t committed; /* last one known to be on disk */
    int64_t restart_ms;
    int64_t woke_ms; /* when it last came back from a sleep; 0: never */

    struct job *by_id, *by_key; /* hashes */
    struct job *jobs;           /* list */
    int32_t n_jobs;
    int64_t jobs_as[JOB_STATES];  /* of them, by status */
    int64_t totals[FRAME_STATES]; /* frames of all jobs by state */
    struct user *users;
    struct queue *rank[101];  /* by priority: queues with work */
    struct job *gated, *held; /* lists by queue_prev/queue_next */
    int32_t n_queued;         /* jobs in queues */

    struct agent *by_name; /* hash */
    struct agent *agents;  /* list */
    int32_t n_agents;
    struct agent *idle;   /* agents with room, longest idle first */
    struct lease *leases; /* hash by id */
    struct scene_work scenes[CORE_SCENES];
    int64_t gather_ms; /* when jobs that gather are looked at; 0: none does */
    double power;      /* sum of speed * slots of agents that are up */
    int64_t slots;     /* sum of their slots */

    bool recheck;    /* a job ended: held ones may be free now */
    bool crowded;    /* a job waits since yield last ran */
    bool wake;       /* supply or demand changed since sched last ran */
    int64_t next_ms; /* earliest deadline known; may be early, never late */
};

/* job.c */
struct job *job_find(const struct core *core, const char *id);
struct job *job_find_key(const struct core *core, const char *key);
/* job_attempt_find: what a frame was charged for, or NULL. */
struct attempt *job_attempt_find(const struct job *job, int32_t ordinal);
enum job_status job_status(const struct job *job);
const char *job_status_word(enum job_status status);
bool job_ended(const struct job *job); /* nothing pending, nothing leased */

/* queue.c: the oldest job that has frames to hand out, or NULL; whether all
 * that is left to render is of paused jobs. Neither looks at every job. */
const struct job *queue_oldest(const struct core *core);
bool queue_is_paused(const struct core *core);

/* lease.c: the lease of an id, or NULL. */
struct lease *lease_find(const struct core *core, uint64_t id);

/* lease_may_be tells whether an agent may have had a lease of that id: false
 * where another has it, or nobody has been given it yet. */
bool lease_may_be(const struct core *core, const char *agent, uint64_t id);

/* roster.c */
struct agent *agent_find(const struct core *core, const char *name);
const char *agent_life_word(enum agent_life life);
/* agent_free counts the leases it can take now (rule R1): slots less running
 * leases of its last STATE less those sent since; 0 unless it is up, has a
 * lane, is not drained, leaving or resting, and holds few unacknowledged
 * results. */
int32_t agent_free(const struct agent *agent);

/* bench.c: how far the agent is kept from a job. */
enum bench bench_of(const struct job *job, const char *agent);

/* times.c */
void times_add(struct times *times, int64_t ms);
void times_free(struct times *times);
/* times_quantile: q in 0..1; 0 when nothing was added. Accurate to 19 %. */
int64_t times_quantile(const struct times *times, double q);
double times_spread(const struct times *times); /* deviation / mean; 0.3 before
                                                   three frames */

/* states */
char frame_letter(enum frame_state state);
const char *frame_word(enum frame_state state);
/* frame_next returns where a change leads, or FRAME_STATES: not allowed. */
enum frame_state frame_next(enum frame_state from, enum frame_change change);

#endif
