/* SPDX-License-Identifier: Apache-2.0
 *
 * A few dozen descriptors at most, so poll will do.
 */
#include "node/poller.h"

#include <limits.h>

#include "common/mem.h"

void poller_clear(struct poller *poller)
{
    poller->n = 0;
    poller->until_ms = 0;
}

void poller_watch(struct poller *poller, int fd)
{
    if (fd < 0)
        return;
    if (poller->n == poller->cap) {
        poller->cap = poller->cap ? poller->cap * 2 : 16;
        poller->fds = mem_grow(poller->fds, poller->cap, sizeof *poller->fds);
    }
    poller->fds[poller->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

void poller_until(struct poller *poller, int64_t due_ms)
{
    if (due_ms != 0 && (poller->until_ms == 0 || due_ms < poller->until_ms))
        poller->until_ms = due_ms;
}

void poller_wait(struct poller *poller, int64_t now_ms)
{
    int timeout = -1;
    if (poller->until_ms != 0) {
        const int64_t left = poller->until_ms - now_ms;
        timeout = left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
    }
    poll(poller->fds, (nfds_t)poller->n, timeout);
}

void poller_done(struct poller *poller)
{
    mem_free(poller->fds);
    *poller = (struct poller){0};
}
