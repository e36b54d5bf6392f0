/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers change facts; lease_step alone decides what is done next. A lease
 * ends in one place, lease_conclude, by what the node said (the verdict) and
 * by the frames that are proven.
 */
#include "worker-agent/lease.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"

#define RETRY_MS        250   /* after a call that failed */
#define RETRY_MAX_MS    1000  /* the same, when it has failed for long */
#define DOWN_MS         10000 /* no connection for so long: the node is gone */
#define SILENT_MS       30000 /* connections, but no answers, for so long */
#define WAIT_MIN_MS     10    /* between long polls that brought news */
#define POLL_MIN_MS     50    /* each poll costs a classic node a `ps` */
#define POLL_MAX_MS     1000
#define GUESS_FRAME_MS  10000 /* of a frame, when none was seen yet */
#define UNSURE_MIN_MS   10000
#define UNSURE_MAX_MS   3600000
#define OVERDUE_MORE_MS 60000

/* --- Frames. --- */

int32_t lease_count(const struct lease *lease)
{
    return (lease->to - lease->from) / lease->step + 1;
}

static int32_t frame_number(const struct lease *lease, int32_t i)
{
    return lease->from + i * lease->step;
}

/* The place of a frame in the lease, or -1. */
static int32_t frame_place(const struct lease *lease, int32_t frame)
{
    if (frame < lease->from || frame > lease->to)
        return -1;
    if ((frame - lease->from) % lease->step != 0)
        return -1;
    return (frame - lease->from) / lease->step;
}

int32_t lease_done(const struct lease *lease)
{
    int32_t done = 0;
    for (int32_t i = 0; i < lease_count(lease); i++)
        done += lease->frames[i].done;
    return done;
}

/* The first frame without a result, as its number; -1 when all have one. */
static int32_t frame_missing(const struct lease *lease)
{
    for (int32_t i = 0; i < lease_count(lease); i++)
        if (!lease->frames[i].done)
            return frame_number(lease, i);
    return -1;
}

static void tell(struct lease *lease, enum news news)
{
    if (lease->news < news)
        lease->news = news;
}

void lease_proven(struct lease *lease, int32_t frame, int32_t ms,
                  const char *files)
{
    int32_t i = frame_place(lease, frame);
    bool over = lease->phase == PHASE_OVER;
    if (over || i < 0 || lease->frames[i].done)
        return;
    lease->frames[i].done = true;
    lease->frames[i].ms = ms;
    lease->frames[i].files = mem_text(files);
    tell(lease, NEWS_PROGRESS);
}

/* --- Birth and death. --- */

struct lease *lease_new(const struct msg_batch *batch, int64_t now_ms)
{
    struct lease *lease = mem_new(sizeof *lease);
    lease->id = batch->lease;
    lease->job = mem_text(batch->job);
    lease->name = mem_text(batch->name);
    lease->render = mem_text(batch->render);
    lease->from = batch->from;
    lease->to = batch->to;
    lease->step = batch->step;
    lease->replace = batch->replace;
    lease->plain = batch->plain;
    lease->n_frames = lease_count(lease);
    lease->frames = mem_new((size_t)lease->n_frames * sizeof *lease->frames);
    lease->frame = lease->trim = lease->blamed = -1;
    lease->trim_asked = INT32_MAX;
    lease->due_ms = now_ms;
    tell(lease, NEWS_NOW);
    return lease;
}

void lease_free(struct lease **lease)
{
    if (*lease == NULL)
        return;
    for (int32_t i = 0; i < (*lease)->n_frames; i++)
        mem_free((*lease)->frames[i].files);
    mem_free((*lease)->frames);
    mem_free((*lease)->job);
    mem_free((*lease)->name);
    mem_free((*lease)->render);
    mem_free((*lease)->text);
    mem_free(*lease);
    *lease = NULL;
}

void lease_adopt(struct lease *lease, int64_t posted_ms, int64_t pid,
                 int64_t now_ms)
{
    lease->phase = pid > 0 ? PHASE_RUNNING : PHASE_UNSURE;
    lease->posted_ms = posted_ms;
    lease->pid = pid;
    lease->due_ms = now_ms;
}

/* --- Ends. --- */

static void set_text(struct lease *lease, const char *text)
{
    mem_free(lease->text);
    lease->text = mem_text(text);
}

static void end(struct lease *lease, enum lease_status status, enum fault fault)
{
    lease->phase = PHASE_OVER;
    lease->status = status;
    lease->fault = fault;
    if (fault_charge(fault) == FAULT_CHARGE_FRAME)
        lease->blamed = frame_missing(lease);
    lease->frame = -1;
    lease->permille = 0;
    tell(lease, NEWS_NOW);
}

static void end_failed(struct lease *lease, enum fault fault, const char *text)
{
    set_text(lease, text);
    end(lease, LEASE_FAILED, fault);
}

static void settle(struct lease *lease, const struct node_answer *answer)
{
    lease->phase = PHASE_SETTLING;
    lease->verdict = answer->word;
    lease->fault = (int32_t)answer->fault;
    set_text(lease, answer->text);
}

static void settle_as(struct lease *lease, enum answer_word word,
                      enum fault fault, const char *text)
{
    settle(lease,
           &(struct node_answer){.word = word, .fault = fault, .text = text});
}

/* A classic node gives no times: the mean of its launch is the best there is.
 */
static void believe_all(struct lease *lease, int64_t now_ms)
{
    int64_t mean = lease->posted_ms == 0
                       ? 0
                       : (now_ms - lease->posted_ms) / lease_count(lease);
    int32_t ms = mean < 0 || mean > INT32_MAX ? 0 : (int32_t)mean;
    for (int32_t i = 0; i < lease_count(lease); i++)
        lease_proven(lease, frame_number(lease, i), ms, NULL);
}

static void conclude_missing(struct lease *lease, int32_t missing)
{
    char text[128];
    if (lease->revoked || lease->verdict == ANSWER_STOPPED) {
        end(lease, LEASE_STOPPED, FAULT_NONE);
    } else if (lease->verdict == ANSWER_COMPLETED) {
        snprintf(text, sizeof text,
                 "the node said it was done, but there is no whole picture of "
                 "frame %d",
                 (int)missing);
        end_failed(lease, FAULT_UNPROVEN, text);
    } else {
        end(lease, LEASE_FAILED, (enum fault)lease->fault);
    }
}

static void conclude(struct lease *lease, const struct lease_view *view,
                     int64_t now_ms)
{
    bool believed = view->node->classic && !view->proving;
    if (lease->verdict == ANSWER_COMPLETED && believed)
        believe_all(lease, now_ms);
    int32_t missing = frame_missing(lease);
    if (missing >= 0) {
        conclude_missing(lease, missing);
    } else {
        set_text(lease, NULL);
        end(lease, LEASE_DONE, FAULT_NONE);
    }
}

void lease_settled(struct lease *lease, const struct lease_view *view,
                   int64_t now_ms)
{
    if (lease->phase == PHASE_SETTLING)
        conclude(lease, view, now_ms);
}

void lease_lose(struct lease *lease, const char *why)
{
    end_failed(lease, FAULT_UNKNOWN, why);
}

void lease_abandon(struct lease *lease)
{
    if (lease->phase != PHASE_OVER)
        end(lease, LEASE_STOPPED, FAULT_NONE);
}

/* --- Times. --- */

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
    if (value < low)
        return low;
    return value > high ? high : value;
}

/* What the launch takes as far as one can tell; 0 when one can't. */
static int64_t expected_ms(const struct lease *lease,
                           const struct lease_view *view)
{
    return view->frame_ms * lease_count(lease);
}

/* What a frame of it takes, rather too much than too little. */
static int64_t guess_frame_ms(const struct lease *lease,
                              const struct lease_view *view)
{
    int64_t longest = view->frame_ms;
    for (int32_t i = 0; i < lease_count(lease); i++)
        if (lease->frames[i].ms > longest)
            longest = lease->frames[i].ms;
    return longest > 0 ? longest * 3 / 2 : GUESS_FRAME_MS;
}

/* How long to wait for the end of a launch that may not exist. */
static int64_t unsure_ms(const struct lease *lease,
                         const struct lease_view *view)
{
    return clamp(lease_count(lease) * guess_frame_ms(lease, view),
                 UNSURE_MIN_MS, UNSURE_MAX_MS);
}

bool lease_overdue(const struct lease *lease, const struct lease_view *view,
                   int64_t now_ms)
{
    bool works = lease->phase == PHASE_RUNNING || lease->phase == PHASE_UNSURE;
    return works && lease->revoked && !view->node->can_stop &&
           now_ms - lease->posted_ms >
               2 * unsure_ms(lease, view) + OVERDUE_MORE_MS;
}

/* The wait before the next poll where the node cannot tell us by itself: half
 * of what is left to the expected end, past it a fiftieth of the time it has
 * taken, so that an end is noticed late by 2 % at most. */
static int64_t poll_wait(const struct lease *lease,
                         const struct lease_view *view, int64_t now_ms)
{
    if (view->node->can_wait)
        return WAIT_MIN_MS;
    int64_t elapsed = now_ms - lease->posted_ms;
    int64_t left = expected_ms(lease, view) - elapsed;
    int64_t wait = left / 2 > elapsed / 50 ? left / 2 : elapsed / 50;
    return clamp(wait, POLL_MIN_MS, POLL_MAX_MS);
}

/* Notes a call that failed. Returns whether the node is given up. */
static bool failed_too_long(struct lease *lease, int64_t now_ms,
                            enum answer_word word)
{
    if (lease->failing_ms == 0)
        lease->failing_ms = now_ms;
    int64_t since = now_ms - lease->failing_ms;
    lease->due_ms = now_ms + clamp(since / 4, RETRY_MS, RETRY_MAX_MS);
    return since >= (word == ANSWER_SILENT ? SILENT_MS : DOWN_MS);
}

/* --- Answers. --- */

/* Ends earlier than it was taken, but never before a frame it has a result of
 * or renders. */
static void shorten(struct lease *lease, int32_t to)
{
    int32_t last = lease->frame > lease->from ? lease->frame : lease->from;
    for (int32_t i = 0; i < lease_count(lease); i++)
        if (lease->frames[i].done && frame_number(lease, i) > last)
            last = frame_number(lease, i);
    if (to < last)
        to = last;
    if (to >= lease->to)
        return;
    lease->to = to - (to - lease->from) % lease->step;
    lease->unsaved = true;
    tell(lease, NEWS_NOW);
}

static void take_progress(struct lease *lease, const struct node_answer *answer)
{
    for (size_t i = 0; i < answer->n_frames; i++)
        lease_proven(lease, answer->frames[i].frame, answer->frames[i].ms,
                     answer->frames[i].files);
    int32_t frame = frame_place(lease, answer->frame) < 0 ? -1 : answer->frame;
    int32_t permille = frame < 0 ? 0 : answer->permille;
    if (frame != lease->frame || permille != lease->permille)
        tell(lease, NEWS_PROGRESS);
    lease->frame = frame;
    lease->permille = permille;
    if (answer->revision > 0)
        lease->revision = answer->revision;
    if (answer->to >= lease->from)
        shorten(lease, answer->to);
}

static void post_taken(struct lease *lease, const struct lease_view *view,
                       int64_t now_ms, int64_t pid)
{
    lease->phase = pid > 0 ? PHASE_RUNNING : PHASE_UNSURE;
    lease->pid = pid;
    lease->failing_ms = 0;
    lease->due_ms = now_ms + poll_wait(lease, view, now_ms);
    lease->unsaved = true;
    tell(lease, NEWS_PROGRESS);
}

/* Whether the node took it is not known. Where it knows keys it is asked
 * again, else the launch is waited for. */
static void post_unclear(struct lease *lease, const struct lease_view *view,
                         int64_t now_ms, const struct node_answer *answer)
{
    bool sure_not =
        answer->word == ANSWER_UNSENT && lease->phase == PHASE_TAKEN;
    if (sure_not) {
        end_failed(lease, FAULT_NODE_DOWN, answer->text);
        return;
    }
    bool said_no = answer->word == ANSWER_ODD && !view->node->can_key;
    if (said_no) {
        end_failed(lease, FAULT_REFUSED, answer->text);
        return;
    }
    lease->phase = PHASE_UNSURE;
    bool given_up = failed_too_long(lease, now_ms, answer->word);
    if (given_up && view->node->can_key)
        settle_as(lease, answer->word, FAULT_NODE_DOWN, answer->text);
}

static void post_answered(struct lease *lease, const struct lease_view *view,
                          int64_t now_ms, const struct node_answer *answer)
{
    switch (answer->word) {
    case ANSWER_TAKEN:
        post_taken(lease, view, now_ms, answer->pid);
        break;
    case ANSWER_BUSY:
        end_failed(lease, FAULT_REFUSED, answer->text);
        break;
    case ANSWER_REFUSED:
        end_failed(lease, answer->fault, answer->text);
        break;
    default:
        post_unclear(lease, view, now_ms, answer);
    }
}

static void poll_running(struct lease *lease, const struct lease_view *view,
                         int64_t now_ms, const struct node_answer *answer)
{
    bool idle = view->node->can_wait && answer->revision <= lease->revision;
    take_progress(lease, answer);
    lease->failing_ms = 0;
    lease->due_ms = now_ms + (idle ? RETRY_MS : poll_wait(lease, view, now_ms));
}

static void poll_failed(struct lease *lease, int64_t now_ms,
                        const struct node_answer *answer)
{
    if (failed_too_long(lease, now_ms, answer->word))
        settle_as(lease, answer->word, FAULT_NODE_DOWN, answer->text);
}

static void poll_answered(struct lease *lease, const struct lease_view *view,
                          int64_t now_ms, const struct node_answer *answer)
{
    switch (answer->word) {
    case ANSWER_RUNNING:
        poll_running(lease, view, now_ms, answer);
        break;
    case ANSWER_COMPLETED:
    case ANSWER_FAILED:
    case ANSWER_STOPPED:
        take_progress(lease, answer);
        settle(lease, answer);
        break;
    case ANSWER_UNKNOWN:
        settle_as(lease, answer->word, FAULT_NODE_DOWN,
                  "the node knows nothing of the job any more: it was "
                  "restarted");
        break;
    default:
        poll_failed(lease, now_ms, answer);
    }
}

/* A trim that failed is dropped: the broker asks again while it wants it. */
static void trim_answered(struct lease *lease, const struct lease_view *view,
                          int64_t now_ms, const struct node_answer *answer)
{
    (void)view;
    (void)now_ms;
    if (answer->word == ANSWER_TRIMMED) {
        if (lease->trim >= 0 && lease->trim < lease->trim_asked)
            lease->trim_asked = lease->trim;
        shorten(lease, answer->to);
    }
    lease->trim = -1;
}

static void stop_answered(struct lease *lease, const struct lease_view *view,
                          int64_t now_ms, const struct node_answer *answer)
{
    (void)view;
    lease->stop_agreed = answer->word == ANSWER_AGREED;
    lease->stop_ms = now_ms + RETRY_MS;
    if (answer->word == ANSWER_UNKNOWN)
        settle_as(lease, answer->word, FAULT_NODE_DOWN, "");
}

void lease_answer(struct lease *lease, const struct lease_view *view,
                  int64_t now_ms, enum call call,
                  const struct node_answer *answer)
{
    static void (*const answered[CALLS])(struct lease *,
                                         const struct lease_view *, int64_t,
                                         const struct node_answer *) = {
        [CALL_POST] = post_answered,
        [CALL_POLL] = poll_answered,
        [CALL_TRIM] = trim_answered,
        [CALL_STOP] = stop_answered,
    };
    lease->calling[call] = false;
    if (lease->phase != PHASE_SETTLING && lease->phase != PHASE_OVER)
        answered[call](lease, view, now_ms, answer);
}

/* --- Orders. --- */

void lease_ack(struct lease *lease, const struct msg_ack *ack)
{
    for (int32_t i = 0; i < lease_count(lease); i++) {
        struct frame_result *result = &lease->frames[i];
        int32_t frame = frame_number(lease, i);
        if (!result->done || frame < ack->from || frame > ack->to)
            continue;
        result->acked = true;
        mem_free(result->files);
        result->files = NULL;
    }
    if (ack->closed) {
        lease->closed = true;
        lease_revoke(lease);
    }
}

void lease_revoke(struct lease *lease)
{
    if (lease->phase == PHASE_OVER || lease->revoked)
        return;
    lease->revoked = true;
    tell(lease, NEWS_NOW);
    if (lease->phase == PHASE_TAKEN && lease->posted_ms == 0)
        end(lease, LEASE_STOPPED, FAULT_NONE);
}

void lease_trim(struct lease *lease, int32_t to)
{
    bool works = lease->phase != PHASE_SETTLING && lease->phase != PHASE_OVER;
    if (!works || to >= lease->to || to >= lease->trim_asked)
        return;
    if (lease->posted_ms > 0)
        lease->trim = to;
    else if (to >= lease->from)
        shorten(lease, to);
    else
        lease_revoke(lease);
}

void lease_leave(struct lease *lease, const struct lease_view *view)
{
    if (lease->phase == PHASE_TAKEN && lease->posted_ms == 0)
        end(lease, LEASE_STOPPED, FAULT_NONE);
    else if (view->node->can_trim)
        lease_trim(lease, lease->frame < 0 ? lease->from : lease->frame);
}

/* --- What to do next. --- */

static void act_call(struct lease *lease, struct acts *acts, enum call call)
{
    static const enum act_type types[CALLS] = {[CALL_POST] = ACT_POST,
                                               [CALL_POLL] = ACT_POLL,
                                               [CALL_TRIM] = ACT_TRIM,
                                               [CALL_STOP] = ACT_STOP};
    lease->calling[call] = true;
    acts_add(acts, types[call], lease->id, lease->trim);
}

static void act_save(struct lease *lease, struct acts *acts)
{
    if (lease->unsaved)
        acts_add(acts, ACT_SAVE, lease->id, -1);
    lease->unsaved = false;
}

static void step_taken(struct lease *lease, const struct lease_view *view,
                       int64_t now_ms, struct acts *acts)
{
    (void)view;
    if (lease->calling[CALL_POST])
        return;
    lease->posted_ms = now_ms;
    lease->unsaved = true;
    act_save(lease, acts);
    act_call(lease, acts, CALL_POST);
}

static void step_unsure(struct lease *lease, const struct lease_view *view,
                        int64_t now_ms, struct acts *acts)
{
    bool again = view->node->can_key && !lease->calling[CALL_POST];
    if (again && now_ms >= lease->due_ms)
        act_call(lease, acts, CALL_POST);
    bool expired = now_ms - lease->posted_ms >= unsure_ms(lease, view) ||
                   frame_missing(lease) < 0;
    if (!view->node->can_key && expired)
        settle_as(lease, ANSWER_SILENT, FAULT_UNKNOWN,
                  "whether the node took the batch was never known");
}

static void step_running(struct lease *lease, const struct lease_view *view,
                         int64_t now_ms, struct acts *acts)
{
    if (!view->node->can_trim)
        lease->trim = -1;
    if (lease->trim >= 0 && !lease->calling[CALL_TRIM])
        act_call(lease, acts, CALL_TRIM);
    bool stop = lease->revoked && view->node->can_stop && !lease->stop_agreed;
    if (stop && !lease->calling[CALL_STOP] && now_ms >= lease->stop_ms)
        act_call(lease, acts, CALL_STOP);
    if (!lease->calling[CALL_POLL] && now_ms >= lease->due_ms)
        act_call(lease, acts, CALL_POLL);
}

static void step_settling(struct lease *lease, const struct lease_view *view,
                          int64_t now_ms, struct acts *acts)
{
    if (!view->proving) {
        conclude(lease, view, now_ms);
    } else if (!lease->settle_asked) {
        lease->settle_asked = true;
        acts_add(acts, ACT_SETTLE, lease->id, -1);
    }
}

static void step_over(struct lease *lease, struct acts *acts)
{
    if (!lease->told)
        acts_add(acts, ACT_ENDED, lease->id, -1);
    lease->told = true;
}

void lease_step(struct lease *lease, const struct lease_view *view,
                int64_t now_ms, struct acts *acts)
{
    static void (*const steps[])(struct lease *, const struct lease_view *,
                                 int64_t, struct acts *) = {
        [PHASE_TAKEN] = step_taken,
        [PHASE_UNSURE] = step_unsure,
        [PHASE_RUNNING] = step_running,
        [PHASE_SETTLING] = step_settling,
    };
    act_save(lease, acts);
    if (lease->phase < PHASE_SETTLING && view->node->known)
        steps[lease->phase](lease, view, now_ms, acts);
    if (lease->phase == PHASE_SETTLING)
        step_settling(lease, view, now_ms, acts);
    if (lease->phase == PHASE_OVER)
        step_over(lease, acts);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t lease_due(const struct lease *lease, const struct lease_view *view)
{
    int64_t due = INT64_MAX;
    if (!view->node->known)
        return due;
    bool unsure = lease->phase == PHASE_UNSURE;
    bool running = lease->phase == PHASE_RUNNING;
    if (unsure && view->node->can_key && !lease->calling[CALL_POST])
        due = lease->due_ms;
    if (unsure && !view->node->can_key)
        due = lease->posted_ms + unsure_ms(lease, view);
    if (running && !lease->calling[CALL_POLL])
        due = lease->due_ms;
    bool stop = running && lease->revoked && view->node->can_stop &&
                !lease->stop_agreed && !lease->calling[CALL_STOP];
    return stop ? sooner(due, lease->stop_ms) : due;
}
