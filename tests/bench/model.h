/* SPDX-License-Identifier: Apache-2.0
 *
 * A farm in virtual time for frameq-bench makespan: the real core in the
 * middle, model agents beside it that render frames of known length, messages
 * that take a millisecond. Nothing fails here but a node that dies; faults are
 * the simulator's business (tests/sim), whose agenda and dice this uses. The
 * same shape takes the same time on every machine.
 */
#ifndef FRAMEQ_TESTS_BENCH_MODEL_H
#define FRAMEQ_TESTS_BENCH_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "broker/core/state.h"
#include "tests/sim/agenda.h"
#include "tests/sim/rng.h"

#define MODEL_NODES    64
#define MODEL_GRACE_MS 2000 /* a killed agent is waited for so long */
#define MODEL_JOIN_MS  100  /* in which agents join */
#define MODEL_WIRE_MS  1    /* that a message takes */

struct model_node {
    double speed;
    int64_t arrives_ms, dies_ms; /* after the submission; dies_ms 0: never */
};

/* What is to be rendered, and on what. */
struct shape {
    const char *name;
    uint64_t seed; /* of the frame times */
    int n_nodes;
    struct model_node nodes[MODEL_NODES];
    int32_t jobs, frames; /* so many jobs of so many frames */
    double frame_ms;      /* mean, on a node of speed 1 */
    double spread;        /* deviation over mean; lognormal */
    int64_t overhead_ms;  /* of each launch */
    bool trim;            /* nodes tell frame by frame and stop early; else they
                             are classic and tell only how a launch ended */
};

struct model_job {
    char id[20];
    int64_t submitted_ms, first_ms, ended_ms; /* first_ms: of its first lease's
                                                 first frame; 0: not yet */
};

/* A launch on a model agent. */
struct model_launch {
    uint64_t lease;
    int32_t job;
    int32_t from, to; /* frame numbers */
    int32_t at;       /* frame in work; from - 1: launching */
    int32_t told;     /* frames before it were acknowledged */
    int32_t status;   /* enum lease_status */
    int64_t posted_ms;
    struct msg_result *results; /* by place from `from` on */
    struct model_launch *prev, *next;
};

struct model_agent {
    char name[16];
    int id;
    const struct model_node *node;
    bool alive;
    uint64_t seq, lane, dseq;
    int64_t busy_ms; /* time that nobody had use for is not in it */
    struct model_launch *launches;
};

/* The world of tests/sim/agenda.h, as it is here. */
struct world {
    const struct shape *shape;
    int64_t now_ms;
    struct agenda agenda;
    struct core *core;
    struct arena arena; /* of the step at hand */
    struct events out;
    int64_t tick_ms; /* when a tick is queued; INT64_MAX: none is */
    struct model_agent agents[MODEL_NODES];
    int32_t *work_ms; /* of frame i of any job, on a node of speed 1 */
    struct model_job *jobs;
    int32_t n_jobs, n_ended;
    int64_t launches, copies; /* leases granted; second copies among them */
    void (*look)(struct world *world); /* after every step; may be NULL */
    void *ctx;
};

/* model_open makes the farm of a shape, its agents to arrive when it says.
 * Without any job. */
void model_open(struct world *world, const struct shape *shape);
void model_close(struct world *world);

/* model_submit adds a job of so many frames of a user, and returns its place in
 * world->jobs. scene: its .blend. */
int32_t model_submit(struct world *world, const char *user, const char *scene,
                     int32_t frames);

/* model_run lives on until all jobs have ended; model_pass, for so long. */
void model_run(struct world *world);
void model_pass(struct world *world, int64_t ms);

/* model_busy tells whether any node renders. */
bool model_busy(const struct world *world);

/* model_agent.c: what agents do. */
void agent_take(struct world *world, struct model_agent *agent,
                const struct event *leased);
void agent_trim(struct world *world, struct model_agent *agent, uint64_t lease,
                int32_t to);
void agent_revoke(struct world *world, struct model_agent *agent,
                  uint64_t lease);
void agent_acked(struct world *world, struct model_agent *agent,
                 const struct event *acked);
void agent_lane(struct world *world, struct model_agent *agent, uint64_t lane);
void agent_drop_all(struct model_agent *agent);

/* model.c: a STATE reaches the core. */
void model_tell(struct world *world, struct model_agent *agent);

/* model_bound returns the least time in which anybody could render the shape's
 * jobs, knowing all: no node renders before it has launched, and none a part of
 * a frame. model_plain: total work over total speed alone, or the longest frame
 * and its launch. work_ms: of its frames; in ms. */
double model_bound(const struct shape *shape, const int32_t *work_ms);
double model_plain(const struct shape *shape, const int32_t *work_ms);

/* model_work draws the times of a job's frames. The caller frees them. */
int32_t *model_work(const struct shape *shape);

#endif
