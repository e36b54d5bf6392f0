/* SPDX-License-Identifier: Apache-2.0
 *
 * A list; there are as many waits as agents and curious people.
 */
#include "node/wait.h"

#include "common/limits.h"
#include "common/mem.h"

bool waits_add(struct waits *waits, const struct wait *wait)
{
    if (waits->n >= LIMIT_PARKED)
        return false;
    struct wait *copy = mem_copy(wait, sizeof *wait);
    copy->next = waits->first;
    waits->first = copy;
    waits->n++;
    return true;
}

static void unlink_free(struct waits *waits, struct wait **at)
{
    struct wait *gone = *at;
    *at = gone->next;
    mem_free(gone);
    waits->n--;
}

void waits_remove(struct waits *waits, const struct httpd_request *request)
{
    for (struct wait **at = &waits->first; *at; at = &(*at)->next)
        if ((*at)->request == request) {
            unlink_free(waits, at);
            return;
        }
}

bool waits_take(struct waits *waits,
                bool (*ready)(void *ctx, const struct wait *wait), void *ctx,
                struct wait *ret)
{
    for (struct wait **at = &waits->first; *at; at = &(*at)->next)
        if (ready(ctx, *at)) {
            *ret = **at;
            ret->next = NULL;
            unlink_free(waits, at);
            return true;
        }
    return false;
}

int64_t waits_due(const struct waits *waits)
{
    int64_t due_ms = 0;
    for (const struct wait *each = waits->first; each; each = each->next)
        if (due_ms == 0 || each->until_ms < due_ms)
            due_ms = each->until_ms;
    return due_ms;
}

void waits_done(struct waits *waits)
{
    while (waits->first)
        unlink_free(waits, &waits->first);
}
