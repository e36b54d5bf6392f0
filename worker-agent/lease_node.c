/* SPDX-License-Identifier: Apache-2.0
 *
 * A lease beside its node. Answers change facts; lease_step alone decides what
 * is done next.
 */
#include "worker-agent/lease_internal.h"

#define RETRY_MS        250   /* after a call that failed */
#define RETRY_MAX_MS    1000  /* the same, when it has failed for long */
#define DOWN_MS         10000 /* no connection for so long: the node is gone */
#define SILENT_MS       30000 /* connections, but no answers, for so long */
#define WAIT_MIN_MS     10    /* between polls of short launches */
#define POLL_MIN_MS     50    /* of others; a classic node starts `ps` for it */
#define POLL_MAX_MS     1000
#define GUESS_FRAME_MS  10000 /* of a frame, when none was seen yet */
#define UNSURE_MIN_MS   10000
#define UNSURE_MAX_MS   3600000
#define OVERDUE_MORE_MS 60000

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
 * taken, so that an end is noticed late by 2 % at most; never so often that the
 * asking costs more than it saves. */
static int64_t poll_wait(const struct lease *lease,
                         const struct lease_view *view, int64_t now_ms)
{
    if (view->node->can_wait)
        return WAIT_MIN_MS;
    int64_t expected = expected_ms(lease, view);
    int64_t elapsed = now_ms - lease->posted_ms;
    int64_t left = expected - elapsed;
    int64_t wait = left / 2 > elapsed / 50 ? left / 2 : elapsed / 50;
    int64_t least = expected > 0
                        ? clamp(expected / 10, WAIT_MIN_MS, POLL_MIN_MS)
                        : POLL_MIN_MS;
    return clamp(wait, least, POLL_MAX_MS);
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

static void take_progress(struct lease *lease, const struct node_answer *answer)
{
    for (size_t i = 0; i < answer->n_frames; i++)
        lease_proven(lease, answer->frames[i].frame, answer->frames[i].ms,
                     answer->frames[i].files);
    int32_t frame = lease_place(lease, answer->frame) < 0 ? -1 : answer->frame;
    int32_t permille = frame < 0 ? 0 : answer->permille;
    if (frame != lease->frame || permille != lease->permille)
        lease_tell(lease, NEWS_PROGRESS);
    lease->frame = frame;
    lease->permille = permille;
    if (answer->revision > 0)
        lease->revision = answer->revision;
    if (answer->to >= lease->from)
        lease_shorten(lease, answer->to);
}

static void post_taken(struct lease *lease, const struct lease_view *view,
                       int64_t now_ms, int64_t pid)
{
    lease->phase = pid > 0 ? PHASE_RUNNING : PHASE_UNSURE;
    lease->pid = pid;
    lease->failing_ms = 0;
    lease->due_ms = now_ms + poll_wait(lease, view, now_ms);
    lease->unsaved = true;
    lease_tell(lease, NEWS_PROGRESS);
}

/* Whether the node took it is not known. Where it knows keys it is asked
 * again, else the launch is waited for. */
static void post_unclear(struct lease *lease, const struct lease_view *view,
                         int64_t now_ms, const struct node_answer *answer)
{
    bool sure_not =
        answer->word == ANSWER_UNSENT && lease->phase == PHASE_TAKEN;
    if (sure_not) {
        lease_end_failed(lease, FAULT_NODE_DOWN, answer->text);
        return;
    }
    bool said_no = answer->word == ANSWER_ODD && !view->node->can_key;
    if (said_no) {
        lease_end_failed(lease, FAULT_REFUSED, answer->text);
        return;
    }
    lease->phase = PHASE_UNSURE;
    bool given_up = failed_too_long(lease, now_ms, answer->word);
    if (given_up && view->node->can_key)
        lease_settle_as(lease, answer->word, FAULT_NODE_DOWN, answer->text);
}

static void post_answered(struct lease *lease, const struct lease_view *view,
                          int64_t now_ms, const struct node_answer *answer)
{
    switch (answer->word) {
    case ANSWER_TAKEN:
        post_taken(lease, view, now_ms, answer->pid);
        break;
    case ANSWER_BUSY:
        lease_end_failed(lease, FAULT_REFUSED, answer->text);
        break;
    case ANSWER_REFUSED:
        lease_end_failed(lease, answer->fault, answer->text);
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
        lease_settle_as(lease, answer->word, FAULT_NODE_DOWN, answer->text);
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
        lease_settle(lease, answer);
        break;
    case ANSWER_UNKNOWN:
        lease_settle_as(lease, answer->word, FAULT_NODE_DOWN,
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
        lease_shorten(lease, answer->to);
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
        lease_settle_as(lease, answer->word, FAULT_NODE_DOWN, "");
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
                   lease_missing(lease) < 0;
    if (!view->node->can_key && expired)
        lease_settle_as(lease, ANSWER_SILENT, FAULT_UNKNOWN,
                        "whether the node took the batch was never known");
}

/* Found to be down for so long that a poll still open will bring nothing. */
static bool node_is_gone(const struct lease_view *view, int64_t now_ms)
{
    return view->down_ms > 0 && now_ms - view->down_ms >= DOWN_MS;
}

static void step_running(struct lease *lease, const struct lease_view *view,
                         int64_t now_ms, struct acts *acts)
{
    if (node_is_gone(view, now_ms)) {
        lease_settle_as(lease, ANSWER_SILENT, FAULT_NODE_DOWN,
                        view->node->error);
        return;
    }
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
        lease_conclude(lease, view, now_ms);
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
    if (running && view->down_ms > 0)
        due = sooner(due, view->down_ms + DOWN_MS);
    bool stop = running && lease->revoked && view->node->can_stop &&
                !lease->stop_agreed && !lease->calling[CALL_STOP];
    return stop ? sooner(due, lease->stop_ms) : due;
}
