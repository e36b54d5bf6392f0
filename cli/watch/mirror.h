/* SPDX-License-Identifier: Apache-2.0
 *
 * The farm as `frameq watch` knows it: a snapshot of the broker's documents,
 * kept up by the events of the feed in the order of their numbers. Pure: asks
 * nobody, draws nothing.
 */
#ifndef FRAMEQ_CLI_WATCH_MIRROR_H
#define FRAMEQ_CLI_WATCH_MIRROR_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct mirror {
    int64_t epoch, seq; /* of the last event it shows */
    json_t *jobs;       /* by id: documents of GET /v1/jobs */
    json_t *agents;     /* by name: documents of GET /v1/agents */
    json_t *faults;     /* newest last: {job, name, fault, text, agent, tries,
                           failed} */
    bool stale;         /* counts are no longer exact: a fresh document helps */
};

/* A zeroed struct mirror is empty. mirror_done releases what it holds. */
void mirror_done(struct mirror *mirror);

/* mirror_take makes it the state of a snapshot: farm of GET /v1/farm, jobs and
 * agents as lists. All borrowed. */
void mirror_take(struct mirror *mirror, const json_t *farm, const json_t *jobs,
                 const json_t *agents);

/* mirror_put_job replaces one job's document (borrowed). */
void mirror_put_job(struct mirror *mirror, json_t *job);

enum mirror_step {
    MIRROR_APPLIED,
    MIRROR_OLD,      /* shown already; nothing was done */
    MIRROR_GAP,      /* events between are missing; nothing was done */
    MIRROR_RESTARTED /* of another broker epoch; nothing was done */
};

/* mirror_apply folds one event of the feed in. */
enum mirror_step mirror_apply(struct mirror *mirror, const json_t *event);

/* mirror_missed returns how many events up to seq, which counts, it has not
 * seen. */
int64_t mirror_missed(const struct mirror *mirror, int64_t seq);

#endif
