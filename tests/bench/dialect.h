/* SPDX-License-Identifier: Apache-2.0
 *
 * What a task queue is told, and what it answers: only as much of its protocol
 * as putting a job, taking one and acknowledging it need. Pure.
 */
#ifndef FRAMEQ_TESTS_BENCH_DIALECT_H
#define FRAMEQ_TESTS_BENCH_DIALECT_H

#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"

#define DIALECT_PAYLOAD                                                        \
    300 /* bytes of a job; about what one takes in a ledger */

/* A job as it was taken. */
struct slip {
    uint64_t id; /* where the queue numbers its jobs */
    char payload[DIALECT_PAYLOAD];
};

struct dialect {
    /* Each appends a request. worker tells apart who takes. */
    void (*put)(const char payload[DIALECT_PAYLOAD], struct buf *out);
    void (*take)(size_t worker, struct buf *out);
    void (*ack)(size_t worker, const struct slip *slip, struct buf *out);

    /* Reads the answer that begins at text, NUL-terminated behind its len
     * bytes. Returns its length, 0 while it is not whole, or -1 when it does
     * not grant what was asked for. The answer to a take fills ret; it is left
     * alone by the others. */
    ssize_t (*answer)(const char *text, size_t len, struct slip *ret);
};

extern const struct dialect dialect_beanstalkd;
extern const struct dialect dialect_redis;

#endif
