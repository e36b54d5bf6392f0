/* SPDX-License-Identifier: Apache-2.0
 *
 * A frame ends when it was due, not when node_step came to look, so that
 * times add up as they would at a real node.
 */
#include "tests/fake/node.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <utlist.h>

#include "common/buf.h"
#include "common/mem.h"

void node_init(struct node *node, const struct habits *habits)
{
    memset(node, 0, sizeof *node);
    node->habits = habits;
    node->last_pid = 1000;
}

static void free_all(struct launch *launches)
{
    struct launch *launch, *next;
    DL_FOREACH_SAFE (launches, launch, next)
        launch_free(&launch);
}

void node_done(struct node *node)
{
    free_all(node->on);
    free_all(node->over);
}

void node_note(const struct node *node, int64_t now_ms, const char *event,
               const char *text)
{
    diary_add(node->habits->diary, &(struct entry){.at_ms = now_ms,
                                                   .port = node->port,
                                                   .event = event,
                                                   .text = text});
}

static void note_launch(const struct node *node, int64_t now_ms,
                        const char *event, const struct launch *launch)
{
    diary_add(node->habits->diary, &(struct entry){.at_ms = now_ms,
                                                   .port = node->port,
                                                   .event = event,
                                                   .pid = launch->pid,
                                                   .from = launch->from,
                                                   .to = launch->to,
                                                   .text = launch->folder});
}

static void note_frame(const struct node *node, int64_t now_ms,
                       const char *event, const struct launch *launch)
{
    diary_add(node->habits->diary, &(struct entry){.at_ms = now_ms,
                                                   .port = node->port,
                                                   .event = event,
                                                   .pid = launch->pid,
                                                   .from = launch->frame,
                                                   .to = launch->frame,
                                                   .text = launch->folder});
}

static void end_launch(struct node *node, int64_t now_ms, struct launch *launch,
                       enum launch_state state)
{
    launch->state = state;
    launch->revision++;
    DL_DELETE(node->on, launch);
    DL_PREPEND(node->over, launch);
    node->running--;
    note_launch(node, now_ms,
                state == LAUNCH_COMPLETED ? "completed"
                : state == LAUNCH_FAILED  ? "failed"
                                          : "stopped",
                launch);
}

static void begin_frame(struct node *node, struct launch *launch)
{
    const struct pace *pace = &node->habits->pace;
    launch->begun = true;
    launch->began_ms = launch->due_ms;
    launch->due_ms += pace_frame(pace, launch->frame);
    launch->revision++;
    note_frame(node, launch->began_ms, "start", launch);
    if (tricks_play(&node->tricks, TRICK_HANG_FRAME, launch->frame))
        launch->due_ms = INT64_MAX;
}

static char *frame_path(const struct node *node, const struct launch *launch)
{
    struct buf path;
    buf_init(&path, 4096);
    const char *slash = *launch->folder == '\0' ? "" : "/";
    buf_print(&path, "%s/%s%s%s_%04d.png", node->habits->frames_dir,
              launch->folder, slash, launch->name, (int)launch->frame);
    return buf_take(&path);
}

static enum paint_part frame_part(struct node *node,
                                  const struct launch *launch)
{
    if (tricks_play(&node->tricks, TRICK_HALF_FRAME, launch->frame))
        return PAINT_HALF;
    if (tricks_play(&node->tricks, TRICK_EMPTY_FRAME, launch->frame))
        return PAINT_NOTHING;
    return PAINT_WHOLE;
}

/* Writes the file of the current frame and keeps its result. */
static void keep_frame(struct node *node, struct launch *launch)
{
    struct painted painted = {0};
    char *path = NULL;
    if (*node->habits->frames_dir != '\0') {
        path = frame_path(node, launch);
        if (!paint_frame(path, launch->frame, node->habits->picture_px,
                         frame_part(node, launch), &painted))
            perror(path);
    }
    launch_add(launch, launch->due_ms - launch->began_ms, path, &painted);
}

/* Our own node proves its frames, so it owns up to one that isn't there; a
 * classic one goes on. */
static bool skip_frame(struct node *node, struct launch *launch)
{
    if (!tricks_play(&node->tricks, TRICK_FAIL_FRAME, launch->frame))
        return false;
    note_frame(node, launch->due_ms, "unwritten", launch);
    return true;
}

static void fail_launch(struct node *node, struct launch *launch)
{
    end_launch(node, launch->due_ms, launch,
               node->habits->superset ? LAUNCH_FAILED : LAUNCH_COMPLETED);
}

static void next_frame(struct node *node, struct launch *launch)
{
    launch->frame += launch->step;
    if (launch->frame > launch->to)
        end_launch(node, launch->due_ms, launch, LAUNCH_COMPLETED);
    else
        begin_frame(node, launch);
}

void node_freeze(struct node *node)
{
    int32_t after = tricks_armed(&node->tricks, TRICK_FREEZE_AFTER);
    node->frozen = after >= 0 && node->rendered >= after;
}

static void end_frame(struct node *node, struct launch *launch)
{
    if (tricks_play(&node->tricks, TRICK_DIE_AT_FRAME, launch->frame)) {
        note_frame(node, launch->due_ms, "died", launch);
        _exit(3);
    }
    if (tricks_play(&node->tricks, TRICK_QUIT_AT_FRAME, launch->frame)) {
        fail_launch(node, launch);
        return;
    }
    bool skipped = skip_frame(node, launch);
    if (skipped && node->habits->superset) {
        fail_launch(node, launch);
        return;
    }
    if (!skipped)
        keep_frame(node, launch);
    node->rendered++;
    launch->revision++;
    note_frame(node, launch->due_ms, "end", launch);
    node_freeze(node);
    next_frame(node, launch);
}

static void step_launch(struct node *node, struct launch *launch)
{
    if (launch->begun)
        end_frame(node, launch);
    else
        begin_frame(node, launch);
}

static bool is_due(const struct launch *launch, int64_t now_ms)
{
    return launch->state == LAUNCH_RUNNING && launch->due_ms <= now_ms;
}

void node_step(struct node *node, int64_t now_ms)
{
    struct launch *launch, *next;
    DL_FOREACH_SAFE (node->on, launch, next)
        while (!node->frozen && is_due(launch, now_ms))
            step_launch(node, launch);
}

int64_t node_next(const struct node *node)
{
    const struct launch *launch;
    int64_t next_ms = INT64_MAX;
    if (node->frozen)
        return next_ms;
    DL_FOREACH (node->on, launch)
        if (launch->due_ms < next_ms)
            next_ms = launch->due_ms;
    return next_ms;
}

static struct launch *find_key(struct launch *launches, const char *key)
{
    struct launch *launch;
    DL_FOREACH (launches, launch)
        if (*key != '\0' && strcmp(launch->key, key) == 0)
            return launch;
    return NULL;
}

static struct launch *find_posted(const struct node *node, const char *key)
{
    struct launch *launch = find_key(node->on, key);
    return launch != NULL ? launch : find_key(node->over, key);
}

struct launch *node_post(struct node *node, int64_t now_ms,
                         const struct order *order)
{
    struct launch *launch = find_posted(node, order->key);
    if (launch != NULL)
        return launch;
    int32_t slots = node->habits->slots;
    if (slots > 0 && node->running >= slots)
        return NULL;
    launch = launch_new(++node->last_pid, order);
    launch->due_ms = now_ms + pace_launch(&node->habits->pace);
    DL_APPEND(node->on, launch);
    node->running++;
    note_launch(node, now_ms, "post", launch);
    return launch;
}

struct launch *node_find(const struct node *node, int32_t pid)
{
    struct launch *launch;
    DL_SEARCH_SCALAR(node->on, launch, pid, pid);
    if (launch == NULL)
        DL_SEARCH_SCALAR(node->over, launch, pid, pid);
    return launch;
}

int32_t node_trim(struct node *node, int64_t now_ms, struct launch *launch,
                  int32_t to)
{
    int32_t last = to > launch->frame ? to : launch->frame;
    if (last < launch->to)
        launch->to = last - (last - launch->from) % launch->step;
    launch->revision++;
    note_launch(node, now_ms, "trim", launch);
    return launch->to;
}

void node_stop(struct node *node, int64_t now_ms, struct launch *launch)
{
    if (launch->state == LAUNCH_RUNNING)
        end_launch(node, now_ms, launch, LAUNCH_STOPPED);
}
