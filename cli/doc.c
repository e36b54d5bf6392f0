/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the broker's documents. Decides nothing about what they mean.
 */
#include "cli/doc.h"

#include <string.h>

#include "common/app/clock.h"
#include "common/app/fields.h"
#include "common/mem.h"
#include "common/text.h"

const char *doc_text(const json_t *object, const char *key)
{
    return fields_text(object, key);
}

int64_t doc_int(const json_t *object, const char *key)
{
    return (int64_t)doc_real(object, key);
}

double doc_real(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

bool doc_on(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

bool doc_has(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    return value != NULL && !json_is_null(value);
}

bool doc_is(const json_t *object, const char *key, const char *word)
{
    return strcmp(doc_text(object, key), word) == 0;
}

int64_t doc_time(const json_t *object, const char *key)
{
    return clock_parse(doc_text(object, key));
}

static void text_clean(json_t *value)
{
    size_t len = json_string_length(value);
    const char *text = json_string_value(value);
    if (text_is_plain(text, len))
        return;
    size_t size = len + 8;
    char *clean = mem_new(size);
    text_excerpt(text, len, clean, size);
    json_string_set(value, clean);
    mem_free(clean);
}

void doc_clean(json_t *value)
{
    const char *key;
    json_t *item;
    size_t i;
    if (json_is_string(value))
        text_clean(value);
    json_object_foreach(value, key, item) doc_clean(item);
    json_array_foreach(value, i, item) doc_clean(item);
}
