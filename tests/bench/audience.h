/* SPDX-License-Identifier: Apache-2.0
 *
 * Readers of the feed: SSE streams and ZeroMQ subscribers, all in one thread,
 * each of which holds its events against the numbers they should have. Some
 * may be stalled: they take nothing.
 */
#ifndef FRAMEQ_TESTS_BENCH_AUDIENCE_H
#define FRAMEQ_TESTS_BENCH_AUDIENCE_H

#include <stddef.h>
#include <stdint.h>

#include "tests/bench/figures.h"
#include "tests/bench/host.h"

struct audience;

struct audience_size {
    size_t streams, subscribers;
};

/* audience_new connects them; any error ends the program. */
struct audience *audience_new(const struct host *host,
                              const struct audience_size *size);
void audience_free(struct audience **audience);

/* audience_stall connects one more stream and one more subscriber, which are
 * never read. */
void audience_stall(struct audience *audience);

/* audience_turn takes what comes until until_us. */
void audience_turn(struct audience *audience, int64_t until_us);

/* audience_least returns the number of the last event that all of them have; 0
 * while one has none. audience_bytes: taken by one of the streams. */
uint64_t audience_least(const struct audience *audience);
size_t audience_bytes(const struct audience *audience);

/* What came since audience_begin. An event's wait is from sent_us[its number
 * less first] to its receipt. */
struct reception {
    uint64_t first; /* number of the first event that is measured */
    const int64_t *sent_us;
    size_t n; /* events */
    struct figures stream_waits, subscriber_waits;
    size_t delivered; /* of n for each reader */
    size_t told;      /* readers that were told that they missed some */
    size_t lost;      /* ... and that were not, though they did */
};

/* audience_begin counts into reception (borrowed) from now on; NULL: no more.
 */
void audience_begin(struct audience *audience, struct reception *reception);

#endif
