/* SPDX-License-Identifier: Apache-2.0
 *
 * Failure classes, shared by node, agent and broker (fault.def).
 */
#ifndef FRAMEQ_COMMON_FAULT_H
#define FRAMEQ_COMMON_FAULT_H

#include <stdbool.h>
#include <stddef.h>

enum fault {
#define FAULT(name, word, charge, reach, remedy) FAULT_##name,
#include "common/fault.def"
#undef FAULT
    FAULT_COUNT
};

enum fault_charge { FAULT_CHARGE_NONE, FAULT_CHARGE_FRAME };
enum fault_reach {
    FAULT_REACH_ONE,
    FAULT_REACH_JOB,
    FAULT_REACH_LIKELY,
    FAULT_REACH_NODE
};

/* All take any enum fault; the strings are static. */
const char *fault_word(enum fault fault);
const char *fault_remedy(enum fault fault);
enum fault_charge fault_charge(enum fault fault);
enum fault_reach fault_reach(enum fault fault);

/* fault_find returns the fault of a word, or FAULT_RENDER for one it does not
 * know (a newer node's), or NULL. */
enum fault fault_find(const char *word);

#endif
