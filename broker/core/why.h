/* SPDX-License-Identifier: Apache-2.0
 *
 * Why frames are where they are. These are the very predicates that the
 * scheduler decides by (sched.c, roster.c, tail.c, step_time.c), and no second
 * opinion: where one says NONE, the scheduler hands out. They change nothing,
 * and read no clock but that of the core's last step.
 */
#ifndef FRAMEQ_BROKER_CORE_WHY_H
#define FRAMEQ_BROKER_CORE_WHY_H

#include "broker/core/state.h"

enum why {
#define WHY(name, word, text, remedy) WHY_##name,
#include "broker/core/why.def"
#undef WHY
    WHYS
};

const char *why_word(enum why why);
const char *why_text(enum why why);
const char *why_remedy(enum why why);

/* why_job: what keeps all pending frames of a job from everybody; NONE: they
 * stand in the queue, or will in this step (OPENING: in one that is due). */
enum why why_job(const struct core *core, const struct job *job);

/* why_stays: what keeps an agent from any work until a person or the agent
 * itself changes it; NONE: it takes work sooner or later. */
enum why why_stays(const struct agent *agent);

/* why_room: why an agent can take no lease now; NONE: agent_free tells how many
 * it can. */
enum why why_room(const struct agent *agent);

/* What a job asks of a machine is numbered from 0: its tags, then memory, GPU
 * and Blender. why_need: what of that an agent lacks, or NONE. why_lacks: the
 * first that it does, need being its number; NONE: nothing. */
size_t why_needs(const struct job *job);
enum why why_need(const struct agent *agent, const struct job *job,
                  size_t need);
enum why why_lacks(const struct agent *agent, const struct job *job,
                   size_t *need);

/* why_match: why a job is not for an agent, whatever room it has; NONE: *lo is
 * the ordinal of the frame that its batch would begin with. */
enum why why_match(const struct core *core, const struct job *job,
                   const struct agent *agent, int32_t *lo);

/* why_frame: the same of one pending frame of it alone. */
enum why why_frame(const struct core *core, const struct job *job,
                   const struct agent *agent, int32_t ordinal);

/* why_next returns the job that an agent would take from next if it had room
 * now, with all that is in work as it is; NULL: none. */
const struct job *why_next(const struct core *core, const struct agent *agent);

/* An agent and a job with pending frames: the first reason. next: where it is
 * BUSY, what it takes as soon as it has room, this job or one that goes first;
 * NULL: nothing, for this job is not in the queue either. ordinal: of one
 * pending frame of it alone, or -1. */
struct why_agent {
    enum why why;
    size_t need; /* WHY_TAG to WHY_BLENDER */
    const struct job *next;
};
struct why_agent why_agent(const struct core *core, const struct job *job,
                           const struct agent *agent, int32_t ordinal);

/* How a job that goes first does so. */
enum why_first {
    FIRST_PRIORITY, /* a higher one */
    FIRST_SHARE,    /* its user has fewer frames in work */
    FIRST_AGE,      /* the same user's, and older */
    FIRST_SMALL     /* the same user's, and small beside this one */
};
enum why_first why_first(const struct job *first, const struct job *job);

/* why_elsewhere_ms: when the frames of a lease go to others because its agent
 * is not heard; INT64_MAX: it is heard. */
int64_t why_elsewhere_ms(const struct core *core, const struct lease *lease);

/* why_late_ms: when a lease counts as late, so that others may render its
 * frames too; INT64_MAX: it is over. */
int64_t why_late_ms(const struct lease *lease);

/* why_due_ms: when a lease may have rendered what is left of it up to an
 * ordinal, at the pace of its job's frames; -1: nobody can tell. */
int64_t why_due_ms(const struct lease *lease, int32_t ordinal);

#endif
