/* SPDX-License-Identifier: Apache-2.0
 *
 * Any text can stand in Accept and Content-Type. An Accept that prefers JSON
 * still does with an element behind it that grants nothing.
 */
#include "common/http/negotiate.h"

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char nothing[] = ", image/png;q=0";
    char *text = mem_new(len + sizeof nothing);
    if (len > 0)
        memcpy(text, bytes, len);
    bool json = accept_json(text);
    content_is_json(text, true);
    content_is_json(text, false);
    memcpy(text + strlen(text), nothing, sizeof nothing);
    assert(accept_json(text) == json);
    mem_free(text);
    return 0;
}
