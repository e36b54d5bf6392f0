/* SPDX-License-Identifier: Apache-2.0
 *
 * See fuzz_again.h.
 */
#include "tests/fuzz/fuzz_again.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"
#include "common/text.h"

void fuzz_again(fuzz_pass *pass, size_t most, const uint8_t *bytes, size_t len)
{
    static struct arena arena; /* kept: a new one a run costs half the speed */
    struct buf once, twice;
    char why[LIMIT_REASON] = "";
    arena_reset(&arena);
    buf_init(&once, most);
    buf_init(&twice, most);
    if (pass(bytes, len, &arena, &once, why, sizeof why)) {
        assert(!once.over);
        assert(pass(once.data, once.len, &arena, &twice, why, sizeof why));
        assert(twice.len == once.len);
        assert(memcmp(twice.data, once.data, once.len) == 0);
    } else {
        assert(once.len == 0);
        assert(why[0] != '\0' && text_is_plain(why, strlen(why)));
    }
    buf_free(&once);
    buf_free(&twice);
}
