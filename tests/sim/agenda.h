/* SPDX-License-Identifier: Apache-2.0
 *
 * What is still to happen, by time; what is due at one time happens in the
 * order it was added.
 */
#ifndef FRAMEQ_TESTS_SIM_AGENDA_H
#define FRAMEQ_TESTS_SIM_AGENDA_H

#include <stddef.h>
#include <stdint.h>

struct world;

struct happening {
    int64_t at_ms;
    uint64_t order;
    void (*act)(struct world *world, const struct happening *happening);
    int who;        /* worker */
    uint64_t life;  /* of the one it is about, when it was added */
    uint64_t lease; /* where it is about one */
    char *bytes;    /* a message; owned by the agenda */
    size_t len;
};

/* A zeroed struct agenda is empty. */
struct agenda {
    struct happening *heap;
    size_t n, cap;
    uint64_t order;
};

/* agenda_add takes over happening->bytes. */
void agenda_add(struct agenda *agenda, const struct happening *happening);

/* agenda_take removes the first; the caller frees its bytes. */
struct happening agenda_take(struct agenda *agenda);

void agenda_done(struct agenda *agenda);

#endif
