/* SPDX-License-Identifier: Apache-2.0
 *
 * Any request target has a plain path that is no longer than itself, or is
 * refused with a reason.
 */
#include <assert.h>
#include <string.h>

#include "common/http/httpd_parts.h"
#include "common/mem.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    char *target = mem_new(len + 1);
    if (len > 0)
        memcpy(target, bytes, len);
    char *path = mem_new(strlen(target) + 2);
    const char *fault = target_path(target, path);
    if (fault == NULL)
        assert(*path != '\0' && text_is_plain(path, strlen(path)));
    else
        assert(*fault != '\0');
    mem_free(path);
    mem_free(target);
    return 0;
}
