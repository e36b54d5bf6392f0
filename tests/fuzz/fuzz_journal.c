/* SPDX-License-Identifier: Apache-2.0
 *
 * Records of an agent's journal.
 */
#include "worker-agent/journal_record.h"

#include "tests/fuzz/fuzz_again.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool pass(const void *bytes, size_t len, struct arena *arena,
                 struct buf *out, char *why, size_t size)
{
    struct journal_record record = {0};
    if (!journal_decode(bytes, len, arena, &record, why, size))
        return false;
    journal_encode(&record, out);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_again(pass, JOURNAL_RECORD_MAX, bytes, len);
    return 0;
}
