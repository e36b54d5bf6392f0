/* SPDX-License-Identifier: Apache-2.0
 *
 * What a lease is, how it ends, and what the broker may ask of it. It ends in
 * one place, lease_conclude, by what the node said (the verdict) and by the
 * frames that are proven.
 */
#include <stdio.h>

#include "common/limits.h"
#include "common/mem.h"
#include "worker-agent/lease_internal.h"

/* --- Frames. --- */

int32_t lease_count(const struct lease *lease)
{
    return (lease->to - lease->from) / lease->step + 1;
}

int32_t lease_frame(const struct lease *lease, int32_t i)
{
    return lease->from + i * lease->step;
}

int32_t lease_place(const struct lease *lease, int32_t frame)
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

int32_t lease_missing(const struct lease *lease)
{
    for (int32_t i = 0; i < lease_count(lease); i++)
        if (!lease->frames[i].done)
            return lease_frame(lease, i);
    return -1;
}

void lease_tell(struct lease *lease, enum news news)
{
    if (lease->news < news)
        lease->news = news;
}

void lease_proven(struct lease *lease, int32_t frame, int32_t ms,
                  const char *files)
{
    int32_t i = lease_place(lease, frame);
    bool over = lease->phase == PHASE_OVER;
    if (over || i < 0 || lease->frames[i].done)
        return;
    lease->frames[i].done = true;
    lease->frames[i].ms = ms;
    lease->frames[i].files = mem_text(files);
    lease_tell(lease, NEWS_PROGRESS);
}

void lease_shorten(struct lease *lease, int32_t to)
{
    int32_t last = lease->frame > lease->from ? lease->frame : lease->from;
    for (int32_t i = 0; i < lease_count(lease); i++)
        if (lease->frames[i].done && lease_frame(lease, i) > last)
            last = lease_frame(lease, i);
    if (to < last)
        to = last;
    if (to >= lease->to)
        return;
    lease->to = to - (to - lease->from) % lease->step;
    lease->unsaved = true;
    lease_tell(lease, NEWS_NOW);
}

/* --- Birth and death. --- */

struct lease *lease_new(const struct msg_batch *batch, int64_t now_ms)
{
    struct lease *lease = mem_new(sizeof *lease);
    lease->id = batch->lease;
    lease->job = mem_text(batch->job);
    lease->name = mem_text(batch->name);
    lease->render = mem_text(batch->render);
    lease->trace = mem_text(batch->trace);
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
    lease_tell(lease, NEWS_NOW);
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
    mem_free((*lease)->trace);
    mem_free((*lease)->blend);
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

/* A node that went down may have been taken down by the frame in work. */
static bool blames(const struct lease *lease, enum fault fault)
{
    return fault_charge(fault) == FAULT_CHARGE_FRAME ||
           (fault == FAULT_NODE_DOWN && lease->pid > 0);
}

static void end(struct lease *lease, enum lease_status status, enum fault fault)
{
    lease->phase = PHASE_OVER;
    lease->status = status;
    lease->fault = fault;
    if (blames(lease, fault))
        lease->blamed = lease_missing(lease);
    lease->frame = -1;
    lease->permille = 0;
    lease_tell(lease, NEWS_NOW);
}

void lease_end_failed(struct lease *lease, enum fault fault, const char *text)
{
    set_text(lease, text);
    end(lease, LEASE_FAILED, fault);
}

void lease_settle(struct lease *lease, const struct node_answer *answer)
{
    lease->phase = PHASE_SETTLING;
    lease->verdict = answer->word;
    lease->fault = (int32_t)answer->fault;
    set_text(lease, answer->text);
}

void lease_settle_as(struct lease *lease, enum answer_word word,
                     enum fault fault, const char *text)
{
    lease_settle(lease, &(struct node_answer){
                            .word = word, .fault = fault, .text = text});
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
        lease_proven(lease, lease_frame(lease, i), ms, NULL);
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
        lease_end_failed(lease, FAULT_UNPROVEN, text);
    } else {
        end(lease, LEASE_FAILED, (enum fault)lease->fault);
    }
}

void lease_conclude(struct lease *lease, const struct lease_view *view,
                    int64_t now_ms)
{
    bool believed = view->node->classic && !view->proving;
    if (lease->verdict == ANSWER_COMPLETED && believed)
        believe_all(lease, now_ms);
    int32_t missing = lease_missing(lease);
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
        lease_conclude(lease, view, now_ms);
}

void lease_lose(struct lease *lease, const char *why)
{
    lease_end_failed(lease, FAULT_UNKNOWN, why);
}

void lease_abandon(struct lease *lease)
{
    if (lease->phase != PHASE_OVER)
        end(lease, LEASE_STOPPED, FAULT_NONE);
}

/* What was meant to be posted before the scene was there has its time from
 * then on. */
void lease_fetched(struct lease *lease, int64_t now_ms, const char *blend,
                   enum fault fault, const char *text)
{
    if (!lease->fetching || lease->phase == PHASE_OVER)
        return;
    lease->fetching = false;
    lease->posted_ms = now_ms;
    if (blend == NULL)
        lease_end_failed(lease, fault, text);
    else
        lease->blend = mem_text(blend);
}

/* --- Orders. --- */

static bool is_unposted(const struct lease *lease)
{
    return lease->phase == PHASE_TAKEN &&
           (lease->posted_ms == 0 || lease->fetching);
}

void lease_ack(struct lease *lease, const struct msg_ack *ack)
{
    for (int32_t i = 0; i < lease_count(lease); i++) {
        struct frame_result *result = &lease->frames[i];
        int32_t frame = lease_frame(lease, i);
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
    lease_tell(lease, NEWS_NOW);
    if (is_unposted(lease))
        end(lease, LEASE_STOPPED, FAULT_NONE);
}

void lease_trim(struct lease *lease, int32_t to)
{
    bool works = lease->phase != PHASE_SETTLING && lease->phase != PHASE_OVER;
    if (!works || to >= lease->to || to >= lease->trim_asked)
        return;
    if (!is_unposted(lease))
        lease->trim = to;
    else if (to >= lease->from)
        lease_shorten(lease, to);
    else
        lease_revoke(lease);
}

void lease_leave(struct lease *lease, const struct lease_view *view)
{
    if (is_unposted(lease))
        end(lease, LEASE_STOPPED, FAULT_NONE);
    else if (view->node->can_trim)
        lease_trim(lease, lease->frame < 0 ? lease->from : lease->frame);
}
