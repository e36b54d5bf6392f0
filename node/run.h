/* SPDX-License-Identifier: Apache-2.0
 *
 * A job being done: its Blender, its work folder and its proofs, from the
 * first exec to the last file in its place. Hands out one frame at a time and
 * proves the last one while the next is rendered. A Blender that is left whole
 * goes back to the pool.
 */
#ifndef FRAMEQ_NODE_RUN_H
#define FRAMEQ_NODE_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/limits.h"
#include "node/job.h"
#include "node/poller.h"
#include "node/pool.h"
#include "node/proof.h"
#include "node/seat.h"
#include "node/work.h"

/* A zeroed struct run is a free slot. */
struct run {
    const struct run_site *site;
    struct job *job; /* borrowed; NULL: the slot is free */
    struct pool *pool;
    struct work work;
    struct seat *seat; /* its Blender; owned; NULL: none */
    struct proof proofs[LIMIT_NODE_PROOFS];
    bool begun;    /* a Blender was started or taken */
    bool launched; /* it was started for this job */
    bool opened;   /* the scene is loaded and fit */
    bool keep;     /* more of this .blend may be rendered in it */
    bool resting;  /* Blender has rendered all there is */
    bool leaving;  /* Blender is about to end by itself */
    int32_t width; /* of the main pictures; 0: not known */
    int32_t height;
    double told; /* progress that callers know of */
    int64_t told_ms;
};

/* run_take gives the slot a job (borrowed until the slot is free again).
 * Starts nothing yet. pool is borrowed too. */
void run_take(struct run *run, const struct run_site *site, struct pool *pool,
              struct job *job, int64_t now_ms);

/* run_watch asks for what run_step waits for. */
void run_watch(struct run *run, struct poller *poller, int64_t now_ms);

/* run_step does all there is to do, starting Blender first, if it may. Once
 * nothing runs any more it ends the job and frees the slot. */
void run_step(struct run *run, bool may_start, int64_t now_ms);

/* run_stop ends Blender; frames it was done with may still be proven. */
void run_stop(struct run *run, int64_t now_ms);

/* run_owns tells whether a process is one of its own; run_reaped takes the
 * status that waitpid gave for it. */
bool run_owns(const struct run *run, pid_t pid);
void run_reaped(struct run *run, pid_t pid, int status, int64_t now_ms);

#endif
