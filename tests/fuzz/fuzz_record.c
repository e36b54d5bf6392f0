/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of the ledger, one by one; fuzz_replay.c puts whole ledgers through.
 */
#include "broker/ledger/record.h"

#include "common/limits.h"
#include "tests/fuzz/fuzz_again.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool pass(const void *bytes, size_t len, struct arena *arena,
                 struct buf *out, char *why, size_t size)
{
    struct event event;
    if (!record_decode(bytes, len, arena, &event, why, size))
        return false;
    record_encode(&event, out);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_again(pass, LIMIT_RECORD, bytes, len);
    return 0;
}
