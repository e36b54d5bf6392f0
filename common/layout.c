/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading and writing are two tables of functions, one row a form. Both end in
 * the same checks; a wrong value is a reason when it was read, an assert when
 * it was about to be written.
 */
#include "common/layout.h"

#include <assert.h>
#include <inttypes.h>
#include <msgpack.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The way from the message to the value at hand, innermost first. */
struct place {
    const struct place *up;
    const char *name; /* of a field; NULL: an item of the list above */
    size_t index;
};

struct value_reader {
    struct layout_reader *top;
    const struct place *place;
};

static bool decode_fields(const struct value_reader *reader,
                          const struct layout *layout, size_t count,
                          void *value);

/* --- Reasons. --- */

static const char *place_text(struct arena *arena, const struct place *place)
{
    if (place == NULL)
        return "";
    const char *up = place_text(arena, place->up);
    if (place->name == NULL)
        return arena_print(arena, "%s[%zu]", up, place->index);
    return arena_print(arena, "%s%s%s", up, *up == '\0' ? "" : ".",
                       place->name);
}

__attribute__((format(printf, 2, 3))) static bool
refuse(const struct value_reader *reader, const char *format, ...)
{
    char reason[128];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    const struct layout_reader *top = reader->top;
    const char *at = place_text(top->arena, reader->place);
    snprintf(top->why, top->size, "%s%s%s: %s", top->what,
             *at == '\0' ? "" : " field ", at, reason);
    return false;
}

static bool signed_fits(const struct value_reader *reader,
                        const struct field_row *row, int64_t value)
{
    if (value < row->low)
        return refuse(reader, "%" PRId64 " is less than %" PRId64, value,
                      row->low);
    if (value > row->high)
        return refuse(reader, "%" PRId64 " is more than %" PRId64, value,
                      row->high);
    return true;
}

static bool unsigned_fits(const struct value_reader *reader,
                          const struct field_row *row, uint64_t value)
{
    if (value < (uint64_t)row->low)
        return refuse(reader, "%" PRIu64 " is less than %" PRIu64, value,
                      (uint64_t)row->low);
    if (value > (uint64_t)row->high)
        return refuse(reader, "%" PRIu64 " is more than %" PRIu64, value,
                      (uint64_t)row->high);
    return true;
}

static bool text_fits(const struct value_reader *reader,
                      const struct field_row *row, const char *text, size_t len)
{
    if (len < (size_t)row->low)
        return refuse(reader, "%zu bytes are fewer than %" PRId64, len,
                      row->low);
    if (len > (size_t)row->high)
        return refuse(reader, "%zu bytes are more than %" PRId64, len,
                      row->high);
    const char *reason = row->refuse(text, len);
    return reason == NULL || refuse(reader, "%s", reason);
}

static bool count_fits(const struct value_reader *reader,
                       const struct field_row *row, size_t count)
{
    return count <= row->most ||
           refuse(reader, "%zu items are more than %zu", count, row->most);
}

static bool rules_hold(const struct value_reader *reader,
                       const struct layout *layout, const void *value)
{
    const char *reason = layout->refuse == NULL ? NULL : layout->refuse(value);
    return reason == NULL || refuse(reader, "%s", reason);
}

/* --- Reading. --- */

static bool decode_bool(const struct value_reader *reader,
                        const struct field_row *row, char *base)
{
    return unpack_bool(&reader->top->in, (bool *)(base + row->at)) ||
           refuse(reader, "is neither true nor false");
}

static bool decode_signed(const struct value_reader *reader,
                          const struct field_row *row, int64_t *ret)
{
    if (!unpack_i64(&reader->top->in, ret))
        return refuse(reader, "is not a whole number in range");
    return signed_fits(reader, row, *ret);
}

static bool decode_i32(const struct value_reader *reader,
                       const struct field_row *row, char *base)
{
    int64_t value;
    if (!decode_signed(reader, row, &value))
        return false;
    *(int32_t *)(base + row->at) = (int32_t)value;
    return true;
}

static bool decode_i64(const struct value_reader *reader,
                       const struct field_row *row, char *base)
{
    return decode_signed(reader, row, (int64_t *)(base + row->at));
}

static bool decode_u64(const struct value_reader *reader,
                       const struct field_row *row, char *base)
{
    uint64_t value;
    if (!unpack_u64(&reader->top->in, &value))
        return refuse(reader, "is not a whole number of at least 0");
    if (!unsigned_fits(reader, row, value))
        return false;
    *(uint64_t *)(base + row->at) = value;
    return true;
}

static bool decode_one_text(const struct value_reader *reader,
                            const struct field_row *row, const char **ret)
{
    const char *text;
    size_t len;
    if (!unpack_text(&reader->top->in, &text, &len))
        return refuse(reader, "is not a text");
    if (!text_fits(reader, row, text, len))
        return false;
    *ret = arena_text(reader->top->arena, text, len);
    return true;
}

static bool decode_text(const struct value_reader *reader,
                        const struct field_row *row, char *base)
{
    return decode_one_text(reader, row, (const char **)(base + row->at));
}

static bool decode_count(const struct value_reader *reader,
                         const struct field_row *row, size_t *ret)
{
    if (!unpack_array(&reader->top->in, ret))
        return refuse(reader, "is not a list");
    return count_fits(reader, row, *ret);
}

static bool decode_texts(const struct value_reader *reader,
                         const struct field_row *row, char *base)
{
    size_t n;
    if (!decode_count(reader, row, &n))
        return false;
    const char **texts = arena_new(reader->top->arena, n * sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        struct place item = {reader->place, NULL, i};
        struct value_reader of_item = {reader->top, &item};
        if (!decode_one_text(&of_item, row, &texts[i]))
            return false;
    }
    *(const char *const **)(base + row->at) = texts;
    *(size_t *)(base + row->count_at) = n;
    return true;
}

static bool decode_nested(const struct value_reader *reader,
                          const struct layout *layout, void *value)
{
    size_t count;
    if (!unpack_array(&reader->top->in, &count))
        return refuse(reader, "is not a list");
    return decode_fields(reader, layout, count, value);
}

static bool decode_struct(const struct value_reader *reader,
                          const struct field_row *row, char *base)
{
    return decode_nested(reader, row->of, base + row->at);
}

static bool decode_list(const struct value_reader *reader,
                        const struct field_row *row, char *base)
{
    size_t n;
    if (!decode_count(reader, row, &n))
        return false;
    char *items = arena_new(reader->top->arena, n * row->of->size);
    for (size_t i = 0; i < n; i++) {
        struct place item = {reader->place, NULL, i};
        struct value_reader of_item = {reader->top, &item};
        if (!decode_nested(&of_item, row->of, items + i * row->of->size))
            return false;
    }
    *(const void **)(base + row->at) = items;
    *(size_t *)(base + row->count_at) = n;
    return true;
}

static bool (*const decoders[FORMS])(const struct value_reader *reader,
                                     const struct field_row *row,
                                     char *base) = {
    [FORM_BOOL] = decode_bool,     [FORM_I32] = decode_i32,
    [FORM_I64] = decode_i64,       [FORM_U64] = decode_u64,
    [FORM_TEXT] = decode_text,     [FORM_TEXTS] = decode_texts,
    [FORM_STRUCT] = decode_struct, [FORM_LIST] = decode_list,
};

/* A field that an older writer did not know. */
static void leave_empty(const struct field_row *row, char *base)
{
    assert(row->form == FORM_TEXT);
    *(const char **)(base + row->at) = "";
}

static bool decode_fields(const struct value_reader *reader,
                          const struct layout *layout, size_t count,
                          void *value)
{
    if (count < (layout->least > 0 ? layout->least : layout->n))
        return refuse(reader, "has %zu fields of %zu", count, layout->n);
    for (size_t i = 0; i < layout->n; i++) {
        const struct field_row *row = &layout->fields[i];
        if (i >= count) {
            leave_empty(row, value);
            continue;
        }
        struct place place = {reader->place, row->name, 0};
        struct value_reader of_field = {reader->top, &place};
        if (!decoders[row->form](&of_field, row, value))
            return false;
    }
    for (size_t i = layout->n; i < count; i++)
        if (!unpack_skip(&reader->top->in))
            return refuse(reader, "ends early");
    return rules_hold(reader, layout, value);
}

bool layout_decode(struct layout_reader *reader, const struct layout *layout,
                   size_t count, void *value)
{
    struct value_reader top = {reader, NULL};
    return decode_fields(&top, layout, count, value);
}

/* --- Writing. --- */

static void encode_fields(const struct layout *layout, const char *base,
                          msgpack_packer *out);

static void encode_bool(const struct field_row *row, const char *base,
                        msgpack_packer *out)
{
    if (*(const bool *)(base + row->at))
        msgpack_pack_true(out);
    else
        msgpack_pack_false(out);
}

static void encode_i32(const struct field_row *row, const char *base,
                       msgpack_packer *out)
{
    int32_t value = *(const int32_t *)(base + row->at);
    assert(row->low <= value && value <= row->high);
    msgpack_pack_int32(out, value);
}

static void encode_i64(const struct field_row *row, const char *base,
                       msgpack_packer *out)
{
    int64_t value = *(const int64_t *)(base + row->at);
    assert(row->low <= value && value <= row->high);
    msgpack_pack_int64(out, value);
}

static void encode_u64(const struct field_row *row, const char *base,
                       msgpack_packer *out)
{
    uint64_t value = *(const uint64_t *)(base + row->at);
    assert((uint64_t)row->low <= value && value <= (uint64_t)row->high);
    msgpack_pack_uint64(out, value);
}

static void encode_one_text(const struct field_row *row, const char *text,
                            msgpack_packer *out)
{
    text = text == NULL ? "" : text;
    size_t len = strlen(text);
    assert((size_t)row->low <= len && len <= (size_t)row->high);
    assert(row->refuse(text, len) == NULL);
    msgpack_pack_str(out, len);
    msgpack_pack_str_body(out, text, len);
}

static void encode_text(const struct field_row *row, const char *base,
                        msgpack_packer *out)
{
    encode_one_text(row, *(const char *const *)(base + row->at), out);
}

static size_t encode_count(const struct field_row *row, const char *base,
                           msgpack_packer *out)
{
    size_t n = *(const size_t *)(base + row->count_at);
    assert(n <= row->most);
    msgpack_pack_array(out, n);
    return n;
}

static void encode_texts(const struct field_row *row, const char *base,
                         msgpack_packer *out)
{
    const char *const *texts = *(const char *const *const *)(base + row->at);
    size_t n = encode_count(row, base, out);
    for (size_t i = 0; i < n; i++)
        encode_one_text(row, texts[i], out);
}

static void encode_struct(const struct field_row *row, const char *base,
                          msgpack_packer *out)
{
    msgpack_pack_array(out, row->of->n);
    encode_fields(row->of, base + row->at, out);
}

static void encode_list(const struct field_row *row, const char *base,
                        msgpack_packer *out)
{
    const char *items = *(const char *const *)(base + row->at);
    size_t n = encode_count(row, base, out);
    for (size_t i = 0; i < n; i++) {
        msgpack_pack_array(out, row->of->n);
        encode_fields(row->of, items + i * row->of->size, out);
    }
}

static void (*const encoders[FORMS])(const struct field_row *row,
                                     const char *base, msgpack_packer *out) = {
    [FORM_BOOL] = encode_bool,     [FORM_I32] = encode_i32,
    [FORM_I64] = encode_i64,       [FORM_U64] = encode_u64,
    [FORM_TEXT] = encode_text,     [FORM_TEXTS] = encode_texts,
    [FORM_STRUCT] = encode_struct, [FORM_LIST] = encode_list,
};

static void encode_fields(const struct layout *layout, const char *base,
                          msgpack_packer *out)
{
    assert(layout->refuse == NULL || layout->refuse(base) == NULL);
    for (size_t i = 0; i < layout->n; i++)
        encoders[layout->fields[i].form](&layout->fields[i], base, out);
}

static int write_bytes(void *buf, const char *bytes, size_t n)
{
    return buf_add(buf, bytes, n) ? 0 : -1;
}

static msgpack_packer packer(struct buf *out)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, write_bytes);
    return packer;
}

void layout_encode(const struct layout *layout, const void *value,
                   struct buf *out)
{
    msgpack_packer to = packer(out);
    encode_fields(layout, value, &to);
}

void layout_array(size_t n, struct buf *out)
{
    msgpack_packer to = packer(out);
    msgpack_pack_array(&to, n);
}

void layout_number(uint64_t number, struct buf *out)
{
    msgpack_packer to = packer(out);
    msgpack_pack_uint64(&to, number);
}
