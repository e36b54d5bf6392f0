/* SPDX-License-Identifier: Apache-2.0
 *
 * A job being done: its Blender, its work folder and its proofs, from the
 * first exec to the last file in its place. Hands out one frame at a time and
 * proves the last one while the next is rendered.
 */
#ifndef FRAMEQ_NODE_RUN_H
#define FRAMEQ_NODE_RUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/limits.h"
#include "node/blender.h"
#include "node/job.h"
#include "node/poller.h"
#include "node/proof.h"
#include "node/work.h"

/* What all runs of a node have in common. Borrowed. */
struct run_site {
    const char *blender;   /* path of the program */
    const char *output;    /* OUTPUT, absolute */
    const char *work_root; /* OUTPUT/.work */
    const char *device;    /* "auto", "cpu", "cuda" ... */
    const struct sandbox *sandbox;
    int threads;
    int nice;
};

/* A zeroed struct run is a free slot. */
struct run {
    const struct run_site *site;
    struct job *job; /* borrowed; NULL: the slot is free */
    struct work work;
    struct blender blender;
    struct proof proofs[LIMIT_NODE_PROOFS];
    bool begun;    /* Blender was started */
    bool opened;   /* the scene is loaded and fit */
    bool leaving;  /* Blender is about to end by itself */
    int32_t width; /* of the main pictures; 0: not known */
    int32_t height;
    double told; /* progress that callers know of */
    int64_t told_ms;
};

/* run_take gives the slot a job (borrowed until the slot is free again).
 * Starts nothing yet. */
void run_take(struct run *run, const struct run_site *site, struct job *job,
              int64_t now_ms);

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
