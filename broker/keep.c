/* SPDX-License-Identifier: Apache-2.0
 *
 * Passes over all jobs, a slice a turn, with a pause after each. The place is
 * kept as an id, for between two turns the job there may go.
 */
#include "broker/keep.h"

#include <stdio.h>
#include <string.h>

#include "broker/core/state.h"

#define LOOKS       1000   /* jobs a slice looks at, some 20 us */
#define FORGETS     50     /* of which it forgets, some 100 us */
#define PAUSE_MOST  600000 /* ms between two passes */
#define PAUSE_LEAST 100
#define PASSES      100 /* in the time a job is kept, or more */

void keep_init(struct keep *keep, struct broker *broker, int64_t keep_ms)
{
    *keep = (struct keep){.broker = broker, .keep_ms = keep_ms};
}

static bool names(const struct job *job, const char *id)
{
    for (size_t i = 0; i < job->n_depends; i++)
        if (strcmp(job->depends[i], id) == 0)
            return true;
    return false;
}

static bool is_waited_for(const struct core *core, const struct job *job)
{
    const struct job *other;
    if (job_status(job) == JOB_COMPLETED)
        return false;
    DL_FOREACH2 (core->held, other, queue_next)
        if (names(other, job->id))
            return true;
    return false;
}

static bool is_due(const struct keep *keep, const struct job *job)
{
    return job->ended_ms != 0 &&
           broker_now(keep->broker) - job->ended_ms >= keep->keep_ms &&
           !is_waited_for(broker_core(keep->broker), job);
}

static int64_t pause_ms(const struct keep *keep)
{
    int64_t pause = keep->keep_ms / PASSES;
    if (pause < PAUSE_LEAST)
        return PAUSE_LEAST;
    return pause < PAUSE_MOST ? pause : PAUSE_MOST;
}

static const struct job *place(const struct keep *keep)
{
    const struct core *core = broker_core(keep->broker);
    const struct job *job = job_find(core, keep->at);
    return job ? job : core->jobs;
}

static void forget(const struct keep *keep, const struct job *job)
{
    struct cmd cmd = {.type = CMD_FORGET, .job = job->id};
    (void)broker_do(keep->broker, &cmd, NULL, 0);
}

void keep_settle(struct keep *keep)
{
    if (broker_now(keep->broker) < keep_next(keep))
        return;
    const struct job *job = place(keep);
    int forgotten = 0;
    for (int i = 0; job && i < LOOKS && forgotten < FORGETS; i++) {
        const struct job *next = job->next;
        if (is_due(keep, job)) {
            forget(keep, job);
            forgotten++;
        }
        job = next;
    }
    if (!job)
        store_keep(broker_store(keep->broker),
                   broker_now(keep->broker) - keep->keep_ms);
    snprintf(keep->at, sizeof keep->at, "%s", job ? job->id : "");
    keep->next_ms = broker_now(keep->broker) + (job ? 0 : pause_ms(keep));
}

int64_t keep_next(const struct keep *keep)
{
    return keep->keep_ms == 0 ? INT64_MAX : keep->next_ms;
}
