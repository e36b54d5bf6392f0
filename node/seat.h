/* SPDX-License-Identifier: Apache-2.0
 *
 * A Blender with the folder it may write in: from its start to its end, over
 * any number of jobs. Knows which work it may be used for again, and what it
 * has done so far. Who uses it when is run.c's and pool.c's.
 */
#ifndef FRAMEQ_NODE_SEAT_H
#define FRAMEQ_NODE_SEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"
#include "node/blender.h"
#include "node/output.h"
#include "node/work.h"

/* What all Blenders of a node have in common. Borrowed. */
struct run_site {
    const char *blender;   /* path of the program */
    const char *output;    /* OUTPUT, absolute */
    const char *work_root; /* OUTPUT/.work */
    const char *device;    /* "auto", "cpu", "cuda" ... */
    const char *bytecode;  /* as in struct blender_options */
    const struct sandbox *sandbox;
    int threads;
    int nice;
};

struct seat {
    struct blender blender;
    struct work work;
    struct output output; /* what it prints while no job has it */
    char *program;        /* identity of Blender's file when it started */
    char *key;            /* what is open in it (seat_key); NULL: nothing yet */
    char *missing;        /* linked data the .blend lacked when it was opened */
    int frames;           /* rendered in all */
    uint64_t memory;      /* bytes, when its first job ended; 0: none has */
    int64_t idle_ms;      /* since when no job has it */
};

struct seat_order {
    const char *name;      /* of its new folder in site->work_root */
    const char *blend;     /* path; NULL: a spare that may open one later */
    struct output *output; /* what it prints; NULL: its own. See seat_hear */
    bool scripts;          /* those of the .blend may run */
    const char *trace;     /* as in struct blender_options */
};

/* seat_open starts a Blender. Returns it, owned, or NULL with the fault and
 * the reason in why. */
struct seat *seat_open(const struct run_site *site,
                       const struct seat_order *order, int64_t now_ms,
                       enum fault *fault, char *why, size_t size);

/* seat_hear sends what it prints to output from now on; NULL: to itself. */
void seat_hear(struct seat *seat, struct output *output);

/* seat_close kills what is left of it and removes its folder. */
void seat_close(struct seat **seat);

/* seat_key returns, owned, a text that two jobs share when one Blender may
 * render both on one load: same program, file, settings and folder of pictures
 * (a job of the farm, hence one owner). Ends with the file as it is now: once
 * that changes, so does the key. order: as of spec_order. */
char *seat_key(const struct run_site *site, const char *blend,
               const char *folder, const json_t *order);

/* seat_is_current tells whether the program it runs is still the one on
 * disk. */
bool seat_is_current(const struct seat *seat, const struct run_site *site);

#endif
