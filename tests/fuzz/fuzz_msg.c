/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages between broker and agents.
 */
#include "common/msg.h"

#include <assert.h>

#include "common/limits.h"
#include "tests/fuzz/fuzz_again.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static bool pass(const void *bytes, size_t len, struct arena *arena,
                 struct buf *out, char *why, size_t size)
{
    struct msg msg;
    if (!msg_decode(bytes, len, arena, &msg, why, size))
        return false;
    assert(msg_encode(&msg, out));
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    fuzz_again(pass, LIMIT_MESSAGE, bytes, len);
    return 0;
}
