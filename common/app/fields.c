/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and checking JSON objects. Bounds what jansson does not (depth), and
 * turns what it says into words for people; changes no value and fills in no
 * default.
 */
#include "common/app/fields.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/app/conf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/text.h"

#define SHOWN_SIZE 64

/* A member of an object in a text that is no JSON. */
struct member {
    const char *key;
    size_t len, value_at;
};

bool field_refuse(char *why, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return false;
}

/* How deep the brackets of a text nest, whether or not it is JSON. */
static int depth_of(const char *body, size_t len)
{
    int depth = 0, deepest = 0;
    bool quoted = false;
    for (size_t i = 0; i < len; i++) {
        if (body[i] == '"')
            quoted = !quoted;
        else if (quoted && body[i] == '\\')
            i++;
        else if (!quoted && (body[i] == '{' || body[i] == '['))
            depth++;
        else if (!quoted && (body[i] == '}' || body[i] == ']'))
            depth--;
        if (depth > deepest)
            deepest = depth;
    }
    return deepest;
}

/* jansson's words where they speak of its flags or insides. */
static const char *plain_words(const json_error_t *error)
{
    switch (json_error_code(error)) {
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "a text with \\u0000 in it";
    case json_error_invalid_utf8:
        return "not UTF-8";
    default:
        return error->text;
    }
}

static size_t skip_blanks(const char *body, size_t len, size_t at)
{
    while (at < len && body[at] != '\0' && strchr(" \t\r\n", body[at]) != NULL)
        at++;
    return at;
}

/* The end of the string that begins at at, behind its quote. */
static size_t skip_string(const char *body, size_t len, size_t at)
{
    for (at++; at < len && body[at] != '"'; at++)
        if (body[at] == '\\')
            at++;
    return at < len ? at + 1 : len;
}

/* The last member that is named before end: its key without quotes, and where
 * its value begins. False when there is none. */
static bool last_key(const char *body, size_t end, struct member *ret)
{
    bool found = false;
    for (size_t at = 0; at < end;) {
        if (body[at] != '"') {
            at++;
            continue;
        }
        size_t start = at + 1;
        at = skip_string(body, end, at);
        size_t colon = skip_blanks(body, end, at);
        if (colon < end && body[colon] == ':') {
            *ret = (struct member){body + start, at - start - 1, colon + 1};
            found = true;
        }
    }
    return found;
}

/* Names the member whose value is a word or number that JSON does not have:
 * NaN, Infinity, 1e400, 0x10, True. */
static bool explain_value(const char *body, size_t len,
                          const json_error_t *error, char *why, size_t size)
{
    static const char word[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+-._";
    char name[SHOWN_SIZE], shown[SHOWN_SIZE];
    struct member member;
    size_t end = error->position < 0 ? 0 : (size_t)error->position;
    if (!last_key(body, end < len ? end : len, &member))
        return false;
    size_t at = skip_blanks(body, len, member.value_at), n = 0;
    while (at + n < len && body[at + n] != '\0' &&
           strchr(word, body[at + n]) != NULL)
        n++;
    if (n == 0 || end > at + n + 1)
        return false;
    bool large = json_error_code(error) == json_error_numeric_overflow;
    text_excerpt(member.key, member.len, name, sizeof name);
    text_excerpt(body + at, n, shown, sizeof shown);
    field_refuse(why, size, "field `%s`: %s: %s", name,
                 large ? "a number out of all bounds" : "not a JSON value",
                 shown);
    return true;
}

static void explain(const char *body, size_t len, const json_error_t *error,
                    char *why, size_t size)
{
    char shown[JSON_ERROR_TEXT_LENGTH];
    const char *words = plain_words(error);
    if (explain_value(body, len, error, why, size))
        return;
    text_excerpt(words, strlen(words), shown, sizeof shown);
    field_refuse(why, size, "not JSON: %s (line %d, column %d)", shown,
                 error->line, error->column);
}

static bool body_is_blank(const char *body, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (strchr(" \t\r\n", body[i]) == NULL || body[i] == '\0')
            return false;
    return true;
}

static const char *type_words(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a real number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        return "null";
    }
    return "nothing known";
}

static bool refuse_type(const json_t *value, const char *wanted, char *why,
                        size_t size)
{
    return field_refuse(why, size, "must be %s, not %s", wanted,
                        type_words(value));
}

json_t *fields_parse(const char *body, size_t len, char *why, size_t size)
{
    json_error_t error;
    if (body_is_blank(body, len)) {
        field_refuse(why, size, "the body is empty; send a JSON object");
        return NULL;
    }
    if (memchr(body, '\0', len) != NULL) {
        field_refuse(why, size, "not JSON: a NUL byte in it");
        return NULL;
    }
    if (depth_of(body, len) > LIMIT_JSON_DEPTH) {
        field_refuse(why, size, "nested deeper than %d", LIMIT_JSON_DEPTH);
        return NULL;
    }
    json_t *value =
        json_loadb(body, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (value == NULL) {
        explain(body, len, &error, why, size);
        return NULL;
    }
    if (!json_is_object(value)) {
        refuse_type(value, "a JSON object", why, size);
        json_decref(value);
        return NULL;
    }
    return value;
}

static const struct field *find_field(const struct field *const *tables,
                                      const char *name)
{
    for (; *tables != NULL; tables++)
        for (const struct field *row = *tables; row->name != NULL; row++)
            if (strcmp(row->name, name) == 0)
                return row;
    return NULL;
}

static size_t list_names(const struct field *const *tables, const char **ret)
{
    size_t n = 0;
    for (; *tables != NULL; tables++)
        for (const struct field *row = *tables; row->name != NULL; row++) {
            if (ret != NULL)
                ret[n] = row->name;
            n++;
        }
    return n;
}

static bool refuse_unknown(const char *name, const struct field *const *tables,
                           char *why, size_t size)
{
    char shown[SHOWN_SIZE];
    text_excerpt(name, strlen(name), shown, sizeof shown);
    size_t n = list_names(tables, NULL);
    const char **names = mem_new(n * sizeof *names);
    list_names(tables, names);
    const char *nearest = conf_nearest(name, names, n);
    mem_free(names);
    if (nearest == NULL)
        return field_refuse(why, size, "unknown field `%s`", shown);
    return field_refuse(why, size, "unknown field `%s` (did you mean `%s`?)",
                        shown, nearest);
}

const char *fields_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text == NULL ? "" : text;
}

bool fields_check(const json_t *object, const struct field *const *tables,
                  char *why, size_t size)
{
    char reason[LIMIT_REASON];
    /* jansson's iterators want an object they may change; nothing is. */
    json_t *iterable = (json_t *)(uintptr_t)object;
    const char *name;
    json_t *value;
    json_object_foreach(iterable, name, value)
    {
        const struct field *row = find_field(tables, name);
        if (row == NULL)
            return refuse_unknown(name, tables, why, size);
        if (!row->check(value, row->arg, reason, sizeof reason))
            return field_refuse(why, size, "field `%s`: %s", name, reason);
    }
    return true;
}

bool field_text(const json_t *v, const void *max_bytes_size_t, char *why,
                size_t size)
{
    size_t most = *(const size_t *)max_bytes_size_t;
    if (!json_is_string(v))
        return refuse_type(v, "a string", why, size);
    const char *text = json_string_value(v);
    size_t len = json_string_length(v);
    if (len == 0)
        return field_refuse(why, size, "must not be empty");
    if (len > most)
        return field_refuse(why, size, "must have at most %zu bytes, not %zu",
                            most, len);
    if (!text_is_plain(text, len))
        return field_refuse(why, size, "must not have control characters");
    return true;
}

bool field_integer(const json_t *v, const void *field_bounds, char *why,
                   size_t size)
{
    const struct field_bounds *bounds = field_bounds;
    if (!json_is_integer(v))
        return refuse_type(v, "a whole number", why, size);
    json_int_t value = json_integer_value(v);
    if (value < bounds->low || value > bounds->high)
        return field_refuse(why, size,
                            "must be from %" JSON_INTEGER_FORMAT
                            " to %" JSON_INTEGER_FORMAT
                            ", not %" JSON_INTEGER_FORMAT,
                            bounds->low, bounds->high, value);
    return true;
}

bool field_number(const json_t *v, const void *field_bounds, char *why,
                  size_t size)
{
    const struct field_bounds *bounds = field_bounds;
    if (!json_is_number(v))
        return refuse_type(v, "a number", why, size);
    double value = json_number_value(v);
    bool low = bounds->low == 0 ? value >= 0 : value > 0;
    if (!low || value > (double)bounds->high)
        return field_refuse(why, size,
                            "must be %s and at most %" JSON_INTEGER_FORMAT
                            ", not %g",
                            bounds->low == 0 ? "0 or more" : "more than 0",
                            bounds->high, value);
    return true;
}

bool field_bool(const json_t *v, const void *unused, char *why, size_t size)
{
    (void)unused;
    return json_is_boolean(v) || refuse_type(v, "true or false", why, size);
}

bool field_choice(const json_t *v, const void *words, char *why, size_t size)
{
    const char *const *word = words;
    char all[256], shown[SHOWN_SIZE];
    text_choice(words, all, sizeof all);
    if (!json_is_string(v))
        return refuse_type(v, all, why, size);
    const char *text = json_string_value(v);
    for (; *word != NULL; word++)
        if (strcmp(*word, text) == 0)
            return true;
    text_excerpt(text, json_string_length(v), shown, sizeof shown);
    return field_refuse(why, size, "must be %s, not `%s`", all, shown);
}

bool field_texts(const json_t *v, const void *field_bounds, char *why,
                 size_t size)
{
    const struct field_bounds *bounds = field_bounds;
    size_t bytes = (size_t)bounds->high;
    char reason[LIMIT_REASON];
    if (!json_is_array(v))
        return refuse_type(v, "a list of strings", why, size);
    if ((json_int_t)json_array_size(v) > bounds->low)
        return field_refuse(why, size,
                            "must have at most %" JSON_INTEGER_FORMAT
                            " items, not %zu",
                            bounds->low, json_array_size(v));
    for (size_t i = 0; i < json_array_size(v); i++)
        if (!field_text(json_array_get(v, i), &bytes, reason, sizeof reason))
            return field_refuse(why, size, "item %zu: %s", i + 1, reason);
    return true;
}
