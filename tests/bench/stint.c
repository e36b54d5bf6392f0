/* SPDX-License-Identifier: Apache-2.0
 *
 * See stint.h.
 */
#include "tests/bench/stint.h"

#include "common/app/log.h"
#include "tests/bench/figures.h"

#define PATIENCE_S 30

void stint_begin(struct stint *stint)
{
    stint->from_us = stint->moved_us = now_us();
    stint->done = 0;
}

bool stint_over(struct stint *stint, int64_t done)
{
    int64_t now = now_us();
    if (done != stint->done)
        stint->moved_us = now;
    stint->done = done;
    stint->took_us = now - stint->from_us;
    if (now - stint->moved_us > (int64_t)PATIENCE_S * SECOND_US)
        log_fatal(1, "nothing happened for %d s", PATIENCE_S);
    if (stint->count > 0 && done >= stint->count)
        return true;
    return stint->seconds > 0 && stint->took_us >= stint->seconds * SECOND_US;
}

double stint_rate(const struct stint *stint)
{
    double took_us = (double)(stint->took_us > 0 ? stint->took_us : 1);
    return (double)stint->done * SECOND_US / took_us;
}
