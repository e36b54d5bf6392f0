/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests whose answer waits: for a job to change, or for the node to know
 * its Blender. Answers nothing itself.
 */
#ifndef FRAMEQ_NODE_WAIT_H
#define FRAMEQ_NODE_WAIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct httpd_request;

struct wait {
    struct httpd_request *request;
    int64_t pid;    /* of the job; 0: /info */
    uint64_t after; /* until the job's rev is past this */
    int64_t until_ms;
    struct wait *next;
};

/* A zeroed struct waits is empty. */
struct waits {
    struct wait *first;
    size_t n;
};

/* waits_add returns false when LIMIT_PARKED wait already. */
bool waits_add(struct waits *waits, const struct wait *wait);

/* waits_remove forgets a request that went away; one that does not wait is
 * fine. */
void waits_remove(struct waits *waits, const struct httpd_request *request);

/* waits_take removes the first wait that ready says yes to, and returns true
 * with it in ret. */
bool waits_take(struct waits *waits,
                bool (*ready)(void *ctx, const struct wait *wait), void *ctx,
                struct wait *ret);

/* waits_due returns the earliest until_ms; 0: none. */
int64_t waits_due(const struct waits *waits);

void waits_done(struct waits *waits);

#endif
