/* SPDX-License-Identifier: Apache-2.0
 *
 * Slots that take the next frame when they have rendered one are done at about
 * work / slots, the last of them up to a frame later. How far the work may be
 * off: frames differ, and the mean of those seen is not that of those to come.
 * Of many slots the first ones done are those with short frames, which says
 * less of the others the fewer were seen.
 */
#include "broker/views/eta.h"

#include <math.h>

/* As if so many more frames had been seen that differ so much: three that took
 * the same time do not prove that all do. */
#define PRIOR_FRAMES 3.0
#define PRIOR_SPREAD 0.3

/* Deviations that the mean may be too low by, as long as next to none of the
 * frames that were begun are done. */
#define EARLY 6.0

/* Deviations that hold 19 of 20: two, and more while few were seen. */
static double deviations(double seen)
{
    return 2.0 + 4.0 / seen;
}

/* How many deviations longer than usual the longest of n frames may be. */
static double square(double x)
{
    return x * x;
}

static double longest_of(double n)
{
    return n > 1.0 ? sqrt(2.0 * log(n)) : 0.0;
}

static double spread_of(const struct eta_part *part)
{
    double seen = (double)part->seen;
    return sqrt((part->spread * part->spread * seen +
                 PRIOR_SPREAD * PRIOR_SPREAD * PRIOR_FRAMES) /
                (seen + PRIOR_FRAMES));
}

void eta_add(struct eta_sum *sum, const struct eta_part *part)
{
    double mean = part->mean_ms, seen = (double)part->seen;
    double ahead = (double)part->ahead, begun = (double)part->begun;
    double wide = mean * spread_of(part), z = deviations(seen);
    /* Of a frame in work anything between all and nothing is left. */
    sum->work_ms += mean * (ahead + begun / 2.0);
    sum->reach2 += z * z *
                   (wide * wide * (ahead + ahead * ahead / seen + begun) +
                    mean * mean * begun / 12.0);
    double early =
        begun > 0.0 ? EARLY * wide * square(begun / (begun + seen)) : 0.0;
    sum->early_ms += (ahead + begun) * early;
    if (ahead + begun > 0.0)
        sum->last_ms =
            fmax(sum->last_ms, mean + early + (z + longest_of(begun)) * wide);
}

struct eta eta_of(const struct eta_sum *sum, double hands)
{
    double reach = sqrt(sum->reach2);
    double low = (sum->work_ms - reach) / hands;
    double high = (sum->work_ms + sum->early_ms + reach) / hands +
                  sum->last_ms * (1.0 - 1.0 / hands);
    return (struct eta){fmax(0.0, low), high};
}
