/* SPDX-License-Identifier: Apache-2.0
 *
 * Thumbnails and logs on their way from the node to the broker, for people to
 * look at. A thread of its own fetches and sends; no batch waits for it, and
 * what is not sent when the agent ends, or when too much waits, is lost.
 */
#ifndef FRAMEQ_WORKER_AGENT_COURIER_H
#define FRAMEQ_WORKER_AGENT_COURIER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COURIER_WAITING 4096 /* errands; past it the oldest go */

struct courier;
struct trust;

enum errand_kind {
    ERRAND_DONE,   /* of a frame that is done: thumbnail and log */
    ERRAND_FAILED, /* of one that failed: its log */
    ERRAND_LIVE    /* of one being rendered: its log as it stands now, before
                      all else, and once */
};

struct errand {
    enum errand_kind kind;
    uint64_t lease;
    const char *job; /* copied */
    int32_t frame;
    int64_t pid; /* at the node */
};

struct courier_options {
    const char *node, *broker; /* URLs without a slash at the end; copied */
    const char *token;         /* that the broker knows; NULL: none; copied */
    const struct trust *trust; /* of the broker; borrowed; may be NULL */
};

/* courier_open starts the thread; NULL with the reason in why. courier_close
 * ends it. */
struct courier *courier_open(const struct courier_options *options, char *why,
                             size_t size);
void courier_close(struct courier **courier);

void courier_add(struct courier *courier, const struct errand *errand);

#endif
