/* SPDX-License-Identifier: Apache-2.0
 *
 * What is counted for /metrics because nothing else remembers it: requests,
 * and frames as their events pass. Counts from the broker's start
 * on, as Prometheus expects of counters.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_METER_H
#define FRAMEQ_BROKER_PEOPLE_METER_H

#include <stddef.h>
#include <stdint.h>

#include "broker/core/core.h"
#include "broker/views/exposition.h"

struct route;

#define METER_BUCKETS 12

struct histogram {
    const double *bounds; /* METER_BUCKETS upper bounds, seconds */
    uint64_t bucket[METER_BUCKETS + 1];
    uint64_t n;
    double sum_s;
};

/* Answers of one route and status. */
struct tally {
    const struct route *route; /* NULL: no route */
    int status;
    uint64_t n;
};

struct meter {
    struct tally *tallies;
    size_t n, cap;
    struct histogram requests; /* seconds to the answer */
    struct histogram frames;   /* render seconds of done frames */
    struct histogram turns;    /* seconds of a turn of the loop */
    uint64_t done, charged, failed, cancelled; /* frames */
};

void meter_init(struct meter *meter);
void meter_done(struct meter *meter);

/* meter_request counts an answer. */
void meter_request(struct meter *meter, const struct route *route, int status,
                   int64_t ms);

/* meter_turn counts a turn of the broker's loop. */
void meter_turn(struct meter *meter, int64_t ms);

/* meter_event counts what an event says of frames; others are ignored. */
void meter_event(struct meter *meter, const struct event *event);

/* meter_write appends its metrics. */
void meter_write(const struct meter *meter, const struct exposition *to);

#endif
