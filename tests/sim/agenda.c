/* SPDX-License-Identifier: Apache-2.0
 *
 * A binary heap.
 */
#include "tests/sim/agenda.h"

#include <assert.h>
#include <stdbool.h>

#include "common/mem.h"

static bool before(const struct happening *a, const struct happening *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void swap(struct agenda *agenda, size_t i, size_t k)
{
    struct happening held = agenda->heap[i];
    agenda->heap[i] = agenda->heap[k];
    agenda->heap[k] = held;
}

void agenda_add(struct agenda *agenda, const struct happening *happening)
{
    if (agenda->n == agenda->cap) {
        agenda->cap = 2 * agenda->cap + 64;
        agenda->heap =
            mem_grow(agenda->heap, agenda->cap, sizeof *agenda->heap);
    }
    size_t i = agenda->n++;
    agenda->heap[i] = *happening;
    agenda->heap[i].order = agenda->order++;
    for (; i > 0 && before(&agenda->heap[i], &agenda->heap[(i - 1) / 2]);
         i = (i - 1) / 2)
        swap(agenda, i, (i - 1) / 2);
}

static size_t first_child(const struct agenda *agenda, size_t i)
{
    size_t left = 2 * i + 1, right = left + 1;
    if (right < agenda->n && before(&agenda->heap[right], &agenda->heap[left]))
        return right;
    return left;
}

struct happening agenda_take(struct agenda *agenda)
{
    assert(agenda->n > 0);
    struct happening first = agenda->heap[0];
    agenda->heap[0] = agenda->heap[--agenda->n];
    for (size_t i = 0; 2 * i + 1 < agenda->n;) {
        size_t child = first_child(agenda, i);
        if (!before(&agenda->heap[child], &agenda->heap[i]))
            break;
        swap(agenda, i, child);
        i = child;
    }
    return first;
}

void agenda_done(struct agenda *agenda)
{
    for (size_t i = 0; i < agenda->n; i++)
        mem_free(agenda->heap[i].bytes);
    mem_free(agenda->heap);
    *agenda = (struct agenda){0};
}
