/* SPDX-License-Identifier: Apache-2.0
 *
 * How long the fake node takes for a launch and for each frame. The same
 * frame takes the same time wherever it is rendered, less the node's speed.
 */
#ifndef FRAMEQ_TESTS_FAKE_PACE_H
#define FRAMEQ_TESTS_FAKE_PACE_H

#include <stddef.h>
#include <stdint.h>

struct pace {
    int64_t overhead_ms; /* before the first frame of a launch */
    double speed;        /* 2: half the time for all of it */
    double frame_ms;     /* where nothing below says otherwise */
    double sigma;        /* > 0: lognormal about frame_ms, drawn from seed */
    uint64_t seed;
    double *list; /* ms of frames 0, 1, ...; repeated; owned */
    size_t n;
};

/* pace_read reads "lognormal:MEAN_MS,SIGMA,SEED" or the name of a file with
 * one number of ms a line, into a pace. Returns NULL, or the reason why not. */
const char *pace_read(struct pace *pace, const char *text);

/* Both in ms, with the node's speed. */
int64_t pace_launch(const struct pace *pace);
int64_t pace_frame(const struct pace *pace, int32_t frame);

void pace_free(struct pace *pace);

#endif
