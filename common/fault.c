/* SPDX-License-Identifier: Apache-2.0
 *
 * The failure classes of fault.def as a table; decides nothing itself.
 */
#include "common/fault.h"

#include <assert.h>
#include <string.h>

static const struct {
    const char *word, *remedy;
    enum fault_charge charge;
    enum fault_reach reach;
} faults[] = {
#define FAULT(name, word, charge, reach, remedy)                               \
    {word, remedy, FAULT_CHARGE_##charge, FAULT_REACH_##reach},
#include "common/fault.def"
#undef FAULT
};

const char *fault_word(enum fault fault)
{
    assert((size_t)fault < FAULT_COUNT);
    return faults[fault].word;
}

const char *fault_remedy(enum fault fault)
{
    assert((size_t)fault < FAULT_COUNT);
    return faults[fault].remedy;
}

enum fault_charge fault_charge(enum fault fault)
{
    assert((size_t)fault < FAULT_COUNT);
    return faults[fault].charge;
}

enum fault_reach fault_reach(enum fault fault)
{
    assert((size_t)fault < FAULT_COUNT);
    return faults[fault].reach;
}

enum fault fault_find(const char *word)
{
    for (int i = 0; word != NULL && i < FAULT_COUNT; i++)
        if (strcmp(faults[i].word, word) == 0)
            return (enum fault)i;
    return FAULT_RENDER;
}
