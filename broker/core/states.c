/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables states.def and events.def as data. A second row for the same
 * (state, change) would override an initialiser, which does not compile.
 */
#include "broker/core/state.h"

#include <assert.h>

static const struct {
    char letter;
    const char *word;
} states[FRAME_STATES] = {
#define STATE(name, letter, word) [FRAME_##name] = {letter, word},
#include "broker/core/states.def"
};

/* One more than the target, so that 0 means: no row. */
static const unsigned char rows[FRAME_STATES][FRAME_CHANGES] = {
#define ROW(from, change, to) [FRAME_##from][CHANGE_##change] = FRAME_##to + 1,
#include "broker/core/states.def"
};

static const struct {
    enum event_keep keep;
    const char *word;
} events[EVENT_TYPES] = {
#define EVENT(name, keep, word) [EVENT_##name] = {EVENT_##keep, word},
#include "broker/core/events.def"
#undef EVENT
};

char frame_letter(enum frame_state state)
{
    assert(state < FRAME_STATES);
    return states[state].letter;
}

const char *frame_word(enum frame_state state)
{
    assert(state < FRAME_STATES);
    return states[state].word;
}

enum frame_state frame_next(enum frame_state from, enum frame_change change)
{
    assert(from < FRAME_STATES && change < FRAME_CHANGES);
    unsigned char to = rows[from][change];
    return to == 0 ? FRAME_STATES : (enum frame_state)(to - 1);
}

enum event_keep event_keep(enum event_type type)
{
    assert(type < EVENT_TYPES);
    return events[type].keep;
}

const char *event_word(enum event_type type)
{
    assert(type < EVENT_TYPES);
    return events[type].word;
}
