/* SPDX-License-Identifier: Apache-2.0
 *
 * The face of the pure core: the farm's whole truth and every decision about
 * it. It sees no socket, file, clock, random source or log: `now_ms` is an
 * argument, ids come in with commands, all that leaves is events. The same
 * commands give the same events.
 *
 *   command --core_step--> decides, applies, appends events
 *   event   --core_apply-> the only change of state; a replay of the ledger
 *                          uses nothing else
 */
#ifndef FRAMEQ_BROKER_CORE_CORE_H
#define FRAMEQ_BROKER_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/frames.h"
#include "common/msg.h"
#include "common/ranges.h"
#include "common/rc.h"

struct core;

struct core_options {
    int32_t batch;           /* frames of a batch where the job says none;
                                0: auto */
    int32_t max_attempts;    /* where the job says none; 1..LIMIT_ATTEMPTS */
    int64_t lease_ttl_ms;    /* an agent silent this long has lost its leases */
    int64_t orphan_grace_ms; /* wait for a killed agent's restart; -1: auto, a
                                tenth of the job's frame time, 2 to 60 s */
    int32_t jobs_max;        /* LIMIT_JOBS; tests lower it */
    int32_t agents_max;
};

/* What a submitted job is. Texts are borrowed; "" where absent. The core reads
 * what it schedules by and carries `render` and `doc` unread. */
struct job_spec {
    const char *id; /* [A-Za-z0-9_-]{16,64}, drawn outside */
    const char *name;
    const char *user;
    const char *key;   /* Idempotency-Key; "" none */
    uint64_t key_hash; /* of the request body it came with */
    struct frames frames;
    int32_t batch;        /* 0: auto; -1: the broker's default */
    int32_t priority;     /* 0..100, 100 first */
    int32_t max_attempts; /* 0: the broker's default */
    int32_t max_agents;   /* 0: no limit */
    int32_t memory_mb;    /* a node must have; 0: any */
    bool gpu;
    bool paused;
    bool plain;            /* classic: only from and to were given */
    int64_t not_before_ms; /* 0: at once */
    const char *const *depends;
    size_t n_depends;
    const char *const *tags; /* an agent must have all */
    size_t n_tags;
    const char *blender; /* beginning of the node's version; "" any */
    const char *blend;   /* for locality; "" the node's own */
    const char *render;  /* JSON object of render fields, to the node */
    const char *doc;     /* JSON object of all fields as given, to the view */
    const char *trace;   /* traceparent of its submit (trace.h), to agents; ""
                            none */
};

/* All that became of a job that ended: one record in place of those that led
 * there. Everything is borrowed; lists of ranges ascend and do not touch. Times
 * that are no whole numbers are the bits of a double. */
struct fate_bucket {
    int32_t bucket, frames; /* of struct times; only those above 0 */
};

struct fate_attempt { /* struct attempt */
    int32_t ordinal, charges, copies, losses;
    uint64_t lease;
    const char *fault, *text;
    const char *const *by, *const *lost_by;
    size_t n_by, n_lost_by;
};

struct fate_standing { /* struct standing */
    const char *name;
    int32_t wrong, done;
    bool benched;
};

struct fate_agent { /* what the job adds to its agents */
    const char *name;
    int64_t done, charged;
    uint64_t speed_bits; /* after this job alone */
};

struct job_fate {
    int32_t priority, max_agents;
    bool paused;
    const char *reason; /* "" none */
    const char *fault;  /* word, "" none */
    const char *avoid;  /* "" none */
    int64_t started_ms, ended_ms, max_ms;
    uint64_t fence, revision, mean_bits, m2_bits;
    const struct range *done, *failed, *cancelled, *redo, *avoided;
    size_t n_done, n_failed, n_cancelled, n_redo, n_avoided;
    const char *const *blenders, *const *likely;
    size_t n_blenders, n_likely;
    const struct fate_bucket *buckets;
    size_t n_buckets;
    const struct fate_attempt *attempts;
    size_t n_attempts;
    const struct fate_standing *standings;
    size_t n_standings;
    const struct fate_agent *agents;
    size_t n_agents;
    const char *versions; /* hashes of the .blend, a blank behind each */
};

#define VERSIONS_TEXT (LIMIT_VERSIONS * 65)

enum event_type {
#define EVENT(name, keep, word) EVENT_##name,
#include "broker/core/events.def"
#undef EVENT
    EVENT_TYPES
};

enum event_keep { EVENT_DURABLE, EVENT_LAZY, EVENT_SOFT };

enum agent_life {
    AGENT_UP,
    AGENT_SILENT, /* no STATE for 3 H: no new work */
    AGENT_GONE,   /* its connection closed; its leases wait for its restart */
    AGENT_LOST    /* its leases went elsewhere */
};

/* One thing that happened. Fields beyond `type`, `seq` and `at_ms` are those
 * the type's line names; the others are zero. Pointers are borrowed from the
 * step's arena (or the replay's), valid until it is reset. */
struct event {
    enum event_type type;
    uint64_t seq; /* ledger number from 1; 0 for soft events */
    int64_t at_ms;
    const char *job; /* all about a job or a lease */
    const char *agent;
    uint64_t lease;     /* RETRIED: the newest there was */
    int32_t lo, hi;     /* ordinals [lo, hi): DONE CHARGED (one) LEASED
                           RELEASED SHORTENED (new end is lo); frame numbers:
                           PROGRESS ASKED (lo: rendering now, -1 none); AGENT
                           (lo: enum agent_life before) */
    int32_t number;     /* LEASED: dispatch number on the lane, 0 when adopted;
                           DONE: ms; PROGRESS: permille; TRIMMED: last frame
                           number; DRAINED: enum drain; AGENT: enum agent_life;
                           PATCHED: priority; BENCHED: frames it failed and
                           others rendered; MISSED: times in a row */
    bool flag;          /* CANCELLED: the whole job; PATCHED: paused;
                           LEASED: a second copy, holds nothing;
                           TRIMMED: to give back frames that it could render;
                           CHARGED: such a copy failed, or a node or agent
                           went down (the fault charges none), which is
                           noted and costs no attempt */
    int32_t fault;      /* CHARGED FAILED RELEASED MISSED: enum fault */
    int32_t limit;      /* PATCHED: max_agents */
    int64_t until_ms;   /* DRAINED: 0 for ever; SLEPT: how long, in ms;
                           MISSED: no work before, 0: no pause */
    uint64_t lane;      /* LANE, LEASED */
    uint64_t inc;       /* LANE, REFUSED */
    const char *text;   /* CHARGED FAILED CANCELLED REVOKED REFUSED: reason;
                           DONE: files as JSON; RETRIED: agent to avoid, "";
                           ASKED: path of a picture, "": the log */
    const char *detail; /* DONE: Blender's version, "" when not known;
                           ASKED: hash of the picture */
    const struct ranges *frames;   /* CANCELLED RETRIED FAILED: ordinals */
    const struct job_spec *spec;   /* SUBMITTED */
    const struct job_fate *fate;   /* PACKED */
    const struct msg_state *state; /* HEARD */
    struct msg_acks acks;          /* ACKED: all of one STATE */
};

/* The events of one step, in order, in the arena given to core_step. */
struct events {
    struct event *at;
    size_t n, cap;
};

enum cmd_type {
    CMD_SUBMIT, /* spec */
    CMD_CANCEL, /* job, frames (NULL: the whole job), text: reason */
    CMD_RETRY,  /* job, frames (NULL: the failed ones), text: agent to avoid */
    CMD_PATCH,  /* job, patch */
    CMD_FORGET, /* job: must have ended, else RC_CONFLICT */
    CMD_DRAIN,  /* agent, number: enum drain, until_ms */
    CMD_STATE,  /* state: a STATE arrived */
    CMD_GONE,   /* agent, inc: its last connection closed */
    CMD_EXPEL,  /* agent: it is no longer of the farm; its leases go elsewhere
                   at once */
    CMD_ASK,    /* agent, job, lease, number: frame, text: "" for its log, else
                   path of the picture, sha256: its hash */
    CMD_UNSENT, /* lease: its BATCH could not be sent; back it goes */
    CMD_COMMITTED, /* seq: the ledger has this much on disk */
    CMD_RESTART,   /* epoch: after the replay, before anything else */
    CMD_TICK       /* core_next came */
};

struct cmd_patch {
    bool has_priority, has_paused, has_max_agents;
    int32_t priority, max_agents;
    bool paused;
};

struct cmd {
    enum cmd_type type;
    const char *job, *agent, *text, *sha256;
    const char *who; /* asked for it, NULL nobody; for the activity alone */
    const struct job_spec *spec;
    const struct frames *frames; /* frame numbers */
    struct cmd_patch patch;
    const struct msg_state *state;
    int32_t number;
    int64_t until_ms;
    uint64_t seq, inc, lease, epoch;
};

/* core_new makes an empty farm. core_free releases it and nulls *core. */
struct core *core_new(const struct core_options *options);
void core_free(struct core **core);

/* core_step decides one command at now_ms (never less than before, but that
 * CMD_RESTART may set a clock back that the ledger had ahead), applies
 * what it decided and appends the events to out (allocated in arena). Returns
 * RC_OK, or a refusal, which emits no event; `why` (size bytes, may be NULL)
 * then names field and reason for people. A STATE that is wrong or stale is no
 * refusal but a step without effect. */
enum rc core_step(struct core *core, int64_t now_ms, const struct cmd *cmd,
                  struct arena *arena, struct events *out, char *why,
                  size_t size);

/* core_apply applies one event: of this step, or of a replay in ledger order.
 * It decides nothing. */
void core_apply(struct core *core, const struct event *event);

/* core_replay applies an event read from a ledger, after checking that it fits
 * what came before: known job and lease, ordinals in range, seq rising.
 * Returns false, and changes nothing, with the reason in why. */
bool core_replay(struct core *core, const struct event *event, char *why,
                 size_t size);

/* core_pack makes the PACKED of a job out of a core into which the events of
 * that job, and of nothing else, were replayed; in arena, without seq and time.
 * Returns false while the job has not ended, or leases of it go on. */
bool core_pack(const struct core *core, const char *job, struct arena *arena,
               struct event *ret);

/* core_next returns when CMD_TICK is due, in ms as now_ms; INT64_MAX: never. */
int64_t core_next(const struct core *core);

/* core_check asserts every invariant (named in check.c). O(everything). */
void core_check(const struct core *core);

/* core_digest folds the durable part of the state: equal for a live core
 * restricted to what was committed and for the replay of its ledger. Leases
 * (lazy) are left out: their frames count as pending. */
uint64_t core_digest(const struct core *core);

/* core_count_jobs tells how many jobs there are, ended ones included. */
int32_t core_count_jobs(const struct core *core);

enum event_keep event_keep(enum event_type type);
const char *event_word(enum event_type type);

#endif
