/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text is a join string that is written again as it was, or is refused
 * with a reason.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/app/conf.h"
#include "common/app/join.h"
#include "common/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char again[JOIN_SIZE], why[160] = "";
    struct join join;
    char *text = mem_new(len + 1);
    if (len > 0)
        memcpy(text, bytes, len);
    if (join_read(text, &join, why, sizeof why)) {
        assert(join_is_name(join.name) == NULL);
        assert(conf_is_url(join.broker) == NULL);
        join_write(&join, again);
        assert(strcmp(text, again) == 0);
    } else {
        assert(why[0] != '\0');
    }
    mem_free(text);
    return 0;
}
