/* SPDX-License-Identifier: Apache-2.0
 *
 * A ring, since what falls out of it costs one more question.
 */
#include "broker/files/gone.h"

#include <stdio.h>
#include <string.h>

void gone_add(struct gone_list *list, const char *name, const char *why,
              int64_t now_ms)
{
    struct gone *gone = &list->at[list->next++ % LIMIT_GONE];
    snprintf(gone->name, sizeof gone->name, "%s", name);
    snprintf(gone->why, sizeof gone->why, "%s", why);
    gone->at_ms = now_ms;
}

const char *gone_find(const struct gone_list *list, const char *name,
                      int64_t now_ms)
{
    const struct gone *last = NULL;
    for (size_t i = 0; i < LIMIT_GONE; i++) {
        const struct gone *gone = &list->at[i];
        if (strcmp(gone->name, name) == 0 && now_ms - gone->at_ms < GONE_MS &&
            (!last || gone->at_ms >= last->at_ms))
            last = gone;
    }
    return last ? last->why : NULL;
}
