/* SPDX-License-Identifier: Apache-2.0
 *
 * What Blender prints, taken apart: kept as a log, and looked through for
 * progress and for words that say why something failed. None of it proves that
 * a frame is there; `Saved:` is printed for broken files too.
 */
#ifndef FRAMEQ_NODE_OUTPUT_H
#define FRAMEQ_NODE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"
#include "common/limits.h"
#include "node/ring.h"

/* A zeroed struct output has seen nothing. */
struct output {
    struct ring log;
    char line[2048]; /* the unfinished one; what is longer is cut */
    size_t line_len;
    char held[512];             /* the last progress line, not in the log yet */
    int32_t frame;              /* of the last progress line; 0 at first */
    int32_t sample, samples;    /* of it; samples 0: not said */
    char error[LIMIT_REASON];   /* the last line beginning "Error: " */
    char last[256];             /* the last line of another kind, not empty */
    char missing[LIMIT_REASON]; /* linked data that its library lacks */
    bool hints[FAULT_COUNT];    /* failures of which there was talk */
};

void output_add(struct output *output, const char *bytes, size_t n);

/* output_log appends the last most bytes of the log to out. Of progress lines
 * that follow each other only the last is in it. */
void output_log(const struct output *output, size_t most, struct buf *out);

/* output_mark returns where in all that was ever logged the log stands now, the
 * last progress line with it; output_part appends what lies between two such
 * marks as far as it is kept, and returns where that begins. What a part has
 * said stays so: who follows a log reads on where it left off. */
uint64_t output_mark(struct output *output);
uint64_t output_part(const struct output *output, uint64_t from, uint64_t to,
                     struct buf *out);

/* output_fraction returns how much of frame is rendered, 0..1, as far as the
 * last progress line tells. */
double output_fraction(const struct output *output, int32_t frame);

/* output_forget ends what was said about the last frame. */
void output_forget(struct output *output);

void output_done(struct output *output);

#endif
