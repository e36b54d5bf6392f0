/* SPDX-License-Identifier: Apache-2.0
 *
 * A record as the tables of record_layout.c see it: between struct event and
 * the bytes. For record.c alone.
 */
#ifndef FRAMEQ_BROKER_LEDGER_RECORD_LAYOUT_H
#define FRAMEQ_BROKER_LEDGER_RECORD_LAYOUT_H

#include "broker/core/core.h"
#include "common/layout.h"

/* A run of frame numbers, as struct span without what follows from it. */
struct run {
    int32_t first, last, step;
};

/* An event as the tables see it. */
struct record {
    struct event event;
    const char *word, *fault;
    const struct range *ranges; /* event.frames */
    size_t n_ranges;
    struct job_spec spec;
    const struct run *runs; /* spec.frames */
    size_t n_runs;
    struct job_fate fate;
};

/* The fields of SUBMITTED, of PACKED, and of every other type: all of struct
 * record, all begin with word and at_ms. event.type is that of the word, or
 * EVENT_TYPES, before a layout is followed. */
extern const struct layout record_job_layout;
extern const struct layout record_fate_layout;
extern const struct layout record_change_layout;

#endif
