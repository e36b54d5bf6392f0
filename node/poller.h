/* SPDX-License-Identifier: Apache-2.0
 *
 * What one turn of the loop waits for: descriptors and the next deadline.
 * Filled anew each turn; after it everybody takes what is there.
 */
#ifndef FRAMEQ_NODE_POLLER_H
#define FRAMEQ_NODE_POLLER_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

/* A zeroed struct poller is ready for use. */
struct poller {
    struct pollfd *fds;
    size_t n, cap;
    int64_t until_ms; /* 0: nothing is due */
};

/* poller_clear forgets all that was asked for. */
void poller_clear(struct poller *poller);

/* poller_watch wakes when fd is readable or closed; -1 is ignored. */
void poller_watch(struct poller *poller, int fd);

/* poller_until wakes at due_ms at the latest; 0 is ignored. */
void poller_until(struct poller *poller, int64_t due_ms);

/* poller_wait waits. */
void poller_wait(struct poller *poller, int64_t now_ms);

void poller_done(struct poller *poller);

#endif
