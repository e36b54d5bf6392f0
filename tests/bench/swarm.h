/* SPDX-License-Identifier: Apache-2.0
 *
 * Agents without nodes: each has the three sockets of a real one and keeps
 * the protocol, but the work of a batch is null. One thread drives them all.
 */
#ifndef FRAMEQ_TESTS_BENCH_SWARM_H
#define FRAMEQ_TESTS_BENCH_SWARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/figures.h"
#include "tests/bench/host.h"

struct swarm;

/* swarm_new connects n agents of that many slots each. */
struct swarm *swarm_new(const struct host *host, size_t n, int32_t slots);
void swarm_free(struct swarm **swarm);

/* swarm_keep tells the agents to keep batches until swarm_finish, instead of
 * ending each as soon as it comes. */
void swarm_keep(struct swarm *swarm, bool keep);

/* swarm_turn waits for messages until until_us at most and handles them. */
void swarm_turn(struct swarm *swarm, int64_t until_us);

/* swarm_finish ends the oldest batch of the next agent that has one. The time
 * from then until that agent receives its next batch goes into waits. Returns
 * false when no agent has a batch. */
bool swarm_finish(struct swarm *swarm);

size_t swarm_ready(const struct swarm *swarm);    /* agents with a lane */
int64_t swarm_batches(const struct swarm *swarm); /* received so far */
struct figures *swarm_waits(struct swarm *swarm); /* in us */

#endif
