/* SPDX-License-Identifier: Apache-2.0
 *
 * A fake Blender node without its HTTP face: launches, their frames over
 * time, and the tricks it plays. It reads no clock: `now_ms` is an argument.
 */
#ifndef FRAMEQ_TESTS_FAKE_NODE_H
#define FRAMEQ_TESTS_FAKE_NODE_H

#include "tests/fake/diary.h"
#include "tests/fake/launch.h"
#include "tests/fake/pace.h"
#include "tests/fake/tricks.h"

/* What the nodes of a process have in common. */
struct habits {
    struct pace pace;
    int32_t slots;          /* 0: a classic node, which takes everything */
    bool superset;          /* speaks our own node's API too */
    const char *frames_dir; /* "": no files are written */
    int picture_px;         /* how wide their pictures are */
    struct diary *diary;
};

struct node {
    const struct habits *habits;
    struct tricks tricks;
    int port;
    int32_t last_pid;
    int32_t rendered; /* frames so far */
    int32_t running;  /* launches in `on` */
    int64_t polls;    /* GET /job/<pid> so far */
    bool frozen;
    struct launch *on, *over; /* launches that run, and those that ended */
};

void node_init(struct node *node, const struct habits *habits);
void node_done(struct node *node);

/* node_post starts a launch at now_ms; the one of the same key again where
 * there is one. Returns NULL when all slots are in use. Borrowed. */
struct launch *node_post(struct node *node, int64_t now_ms,
                         const struct order *order);

struct launch *node_find(const struct node *node, int32_t pid);

/* node_trim makes a running launch end after frame `to` or after the frame it
 * renders, whichever is later, and returns which. */
int32_t node_trim(struct node *node, int64_t now_ms, struct launch *launch,
                  int32_t to);
void node_stop(struct node *node, int64_t now_ms, struct launch *launch);

/* node_freeze looks whether the node is frozen now, after its tricks or its
 * count of frames changed. */
void node_freeze(struct node *node);

/* node_step begins and ends what is due. */
void node_step(struct node *node, int64_t now_ms);

/* node_next returns when node_step is due; INT64_MAX: never. */
int64_t node_next(const struct node *node);

/* node_note writes an entry about the node into the diary. */
void node_note(const struct node *node, int64_t now_ms, const char *event,
               const char *text);

#endif
