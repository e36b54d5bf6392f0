/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures that an agent was asked to send and could not: the last few, for a
 * minute, so that who asks again is told why in place of being told to wait.
 */
#ifndef FRAMEQ_BROKER_FILES_GONE_H
#define FRAMEQ_BROKER_FILES_GONE_H

#include <stdint.h>

#include "common/app/manifest.h"
#include "common/limits.h"

#define GONE_MS 60000 /* then the agent is asked again */

/* A zeroed struct gone_list is empty. */
struct gone_list {
    struct gone {
        char name[BLOB_NAME + 1]; /* its SHA-256 */
        char why[LIMIT_GONE_REASON + 1];
        int64_t at_ms;
    } at[LIMIT_GONE];
    uint32_t next;
};

/* gone_add notes it, in the place of the oldest; a longer reason is cut. */
void gone_add(struct gone_list *list, const char *name, const char *why,
              int64_t now_ms);

/* gone_find returns why it could not be sent, by the last word of it; NULL when
 * that was never said, or a minute ago. */
const char *gone_find(const struct gone_list *list, const char *name,
                      int64_t now_ms);

#endif
