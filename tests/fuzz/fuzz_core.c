/* SPDX-License-Identifier: Apache-2.0
 *
 * Any commands in any order keep every invariant of the core, and the replay
 * of what they left in the ledger comes to the same state.
 */
#include "tests/fuzz/fuzz_farm.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct farm farm;
    farm_open(&farm, bytes, len);
    farm_restart(&farm, 0);
    farm_run(&farm);
    farm_close(&farm);
    return 0;
}
