/* SPDX-License-Identifier: Apache-2.0
 *
 * The table why.def as data, and the one answer that no decision needs: when a
 * lease may be done. All other reasons are given where they are decided by.
 */
#include "broker/core/core_internal.h"

#include <assert.h>

static const struct {
    const char *word, *text, *remedy;
} whys[WHYS] = {
#define WHY(name, word, text, remedy) [WHY_##name] = {word, text, remedy},
#include "broker/core/why.def"
#undef WHY
};

const char *why_word(enum why why)
{
    assert(why < WHYS);
    return whys[why].word;
}

const char *why_text(enum why why)
{
    assert(why < WHYS);
    return whys[why].text;
}

const char *why_remedy(enum why why)
{
    assert(why < WHYS);
    return whys[why].remedy;
}

int64_t why_due_ms(const struct lease *lease, int32_t ordinal)
{
    const struct times *times = &lease->job->times;
    if (times->n == 0 || LEASE_OVER(lease->status))
        return -1;
    struct ranges before = {0};
    ranges_within(&lease->left, lease->lo, ordinal + 1, &before);
    int32_t frames = before.count;
    ranges_free(&before);
    return lease->news_ms + (int64_t)(times->mean_ms * frames);
}
