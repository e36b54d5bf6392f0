/* SPDX-License-Identifier: Apache-2.0
 *
 * Tricks: the ways a fake node misbehaves, each armed for a number of times.
 * It knows what is armed, not what a trick does.
 */
#ifndef FRAMEQ_TESTS_FAKE_TRICKS_H
#define FRAMEQ_TESTS_FAKE_TRICKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trick {
#define TRICK(name, word, kind, help) TRICK_##name,
#include "tests/fake/tricks.def"
#undef TRICK
    TRICKS
};

#define TRICKS_ARMED 64

struct armed {
    enum trick trick;
    int32_t frame; /* -1 for those that are of no frame */
    int32_t times; /* left */
};

/* A zeroed struct tricks is a node that behaves. */
struct tricks {
    struct armed at[TRICKS_ARMED];
    size_t n;
};

const char *trick_word(enum trick trick);

/* tricks_arm arms a trick by its word and value (tricks.def), or ends it with
 * "off". Returns NULL, or the reason why not. */
const char *tricks_arm(struct tricks *tricks, const char *word,
                       const char *value);

/* tricks_play tells whether a trick is to be played now, on that frame (-1
 * where it is of no frame), and counts it. */
bool tricks_play(struct tricks *tricks, enum trick trick, int32_t frame);

/* tricks_armed returns the frame number a trick is armed for, or -1. */
int32_t tricks_armed(const struct tricks *tricks, enum trick trick);

/* Checks for the table of settings (common/app/conf.h). */
const char *trick_is_frame(const char *value);
const char *trick_is_times(const char *value);

#endif
