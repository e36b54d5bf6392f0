/* SPDX-License-Identifier: Apache-2.0
 *
 * Nearly every text goes out as it is; one that may not is left to jansson.
 */
#include "broker/views/member.h"

#include <inttypes.h>
#include <string.h>

#include "broker/views/view.h"
#include "common/text.h"

static void add_name(struct buf *out, const char *name)
{
    buf_add(out, ",\"", 2);
    buf_add(out, name, strlen(name));
    buf_add(out, "\":", 2);
}

void member_json(struct buf *out, const char *name, json_t *value)
{
    add_name(out, name);
    if (value == NULL || !view_write(value, out))
        buf_add(out, "null", 4);
    json_decref(value);
}

void member_text(struct buf *out, const char *name, const char *text)
{
    size_t len = text == NULL ? 0 : strlen(text);
    bool as_it_is = len > 0 && text_is_plain(text, len) &&
                    memchr(text, '"', len) == NULL &&
                    memchr(text, '\\', len) == NULL;
    if (!as_it_is) {
        member_json(out, name, view_text_or_null(text));
        return;
    }
    add_name(out, name);
    buf_add(out, "\"", 1);
    buf_add(out, text, len);
    buf_add(out, "\"", 1);
}

void member_integer(struct buf *out, const char *name, int64_t value)
{
    buf_print(out, ",\"%s\":%" PRId64, name, value);
}

void member_thousandths(struct buf *out, const char *name, int64_t value)
{
    buf_print(out, ",\"%s\":%" PRId64 ".%03d", name, value / 1000,
              (int)(value % 1000));
}
