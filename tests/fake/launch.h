/* SPDX-License-Identifier: Apache-2.0
 *
 * One launch of a Blender that isn't there: frames of a job that end one
 * after the other as time goes by. Plain data; node.c moves it on.
 */
#ifndef FRAMEQ_TESTS_FAKE_LAUNCH_H
#define FRAMEQ_TESTS_FAKE_LAUNCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/fake/paint.h"

enum launch_state {
    LAUNCH_RUNNING,
    LAUNCH_COMPLETED,
    LAUNCH_FAILED,
    LAUNCH_STOPPED
};

struct result {
    int32_t frame;
    int64_t ms;
    char *path; /* owned */
    struct painted painted;
};

struct launch {
    int32_t pid;
    int32_t from, to, step;
    enum launch_state state;
    int32_t frame;    /* rendering now */
    int64_t began_ms; /* when that frame began */
    int64_t due_ms;   /* when it ends; INT64_MAX: never */
    bool begun;       /* its first frame has begun */
    int32_t revision; /* grows with every change */
    char *folder;     /* below the frames folder, "" for the classic place */
    char *name;       /* of its files, before _#### */
    char *key;        /* "" none */
    struct result *results;
    size_t n;
    struct launch *prev, *next;
};

/* What POST /job asks for. Texts are borrowed. */
struct order {
    int32_t from, to, step;
    const char *folder, *name, *key;
};

struct launch *launch_new(int32_t pid, const struct order *order);
void launch_free(struct launch **launch);

/* launch_add keeps the result of its current frame; takes path. */
void launch_add(struct launch *launch, int64_t ms, char *path,
                const struct painted *painted);

/* launch_json describes it as our own node's GET /job/<pid> does. The caller
 * owns the reference. */
json_t *launch_json(const struct launch *launch);

#endif
