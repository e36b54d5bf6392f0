/* SPDX-License-Identifier: Apache-2.0
 *
 * When frames will be done, as an honest range: from the times of frames seen,
 * how they differ, how many were seen, and how many are rendered at once. Pure.
 * A range is for what there is now: it knows of no agent to come or go.
 */
#ifndef FRAMEQ_BROKER_VIEWS_ETA_H
#define FRAMEQ_BROKER_VIEWS_ETA_H

#include <stddef.h>
#include <stdint.h>

#define ETA_FRAMES 3 /* seen of a job: before them nobody can tell */

/* Frames that are alike: those of a job. */
struct eta_part {
    int64_t seen; /* done ones whose time is known; at least ETA_FRAMES */
    double mean_ms, spread; /* theirs; spread: deviation / mean */
    int64_t ahead;          /* not begun */
    int64_t begun;          /* being rendered now */
};

/* What parts come to; a zeroed one is nothing. */
struct eta_sum {
    double work_ms, last_ms; /* of all; of a frame that may be the last */
    double reach2;           /* square of how far work_ms may be off */
    double early_ms;         /* how much more it may be while few were seen */
};

struct eta {
    double low_ms, high_ms; /* 0 <= low <= high */
};

void eta_add(struct eta_sum *sum, const struct eta_part *part);

/* eta_of returns the range for work that `hands` slots (at least 1) share. */
struct eta eta_of(const struct eta_sum *sum, double hands);

#endif
