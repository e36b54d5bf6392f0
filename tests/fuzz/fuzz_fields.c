/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes are a JSON object that the table takes, or are refused with a
 * reason that can be shown to people as it is.
 */
#include "common/app/fields.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "common/limits.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const struct field *const tables[] = {render_fields, NULL};
    char why[LIMIT_REASON] = "";
    json_t *object = fields_parse((const char *)bytes, len, why, sizeof why);
    bool taken =
        object != NULL && fields_check(object, tables, why, sizeof why);
    assert(taken == (why[0] == '\0'));
    assert(text_is_plain(why, strlen(why)));
    json_decref(object);
    return 0;
}
