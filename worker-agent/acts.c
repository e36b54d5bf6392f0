/* SPDX-License-Identifier: Apache-2.0
 *
 * A growing list; bounded by what a lease asks for in one step.
 */
#include "worker-agent/acts.h"

#include "common/mem.h"

void acts_add(struct acts *acts, enum act_type type, uint64_t lease, int32_t to)
{
    if (acts->n == acts->cap) {
        acts->cap = acts->cap == 0 ? 16 : 2 * acts->cap;
        acts->at = mem_grow(acts->at, acts->cap, sizeof *acts->at);
    }
    acts->at[acts->n++] = (struct act){type, lease, to};
}

void acts_clear(struct acts *acts)
{
    acts->n = 0;
}

void acts_free(struct acts *acts)
{
    mem_free(acts->at);
    *acts = (struct acts){0};
}
