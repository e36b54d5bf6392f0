/* SPDX-License-Identifier: Apache-2.0
 *
 * Clients of a task queue, over plain sockets in one thread: one that puts and
 * a number of workers that take a job, acknowledge it and take the next; or a
 * number that only put.
 */
#ifndef FRAMEQ_TESTS_BENCH_QUEUE_H
#define FRAMEQ_TESTS_BENCH_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/bench/dialect.h"
#include "tests/bench/figures.h"
#include "tests/bench/stint.h"

struct queue;

/* queue_open connects n workers and the one that puts; put_only: n that put.
 * Here as below an error ends the program. */
struct queue *queue_open(const struct dialect *dialect, int port, size_t n,
                         bool put_only);
void queue_close(struct queue **queue);

/* queue_run goes as fast as it can until the stint, which it begins, is over:
 * by jobs acknowledged, or by jobs put. Puts are ahead of acknowledgements by
 * QUEUE_AHEAD and one a worker; of those that only put, each has one open. The
 * time of each put goes into waits, unless NULL. */
#define QUEUE_AHEAD 64
void queue_run(struct queue *queue, struct stint *stint, struct figures *waits);

/* queue_pace puts n jobs, per_s a second, once what was put before is done. The
 * time from each put until a worker has it goes into waits. */
void queue_pace(struct queue *queue, int64_t n, int64_t per_s,
                struct figures *waits);

#endif
