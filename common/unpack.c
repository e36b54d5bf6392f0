/* SPDX-License-Identifier: Apache-2.0
 *
 * Every value is first looked at as a head (type, number or length), and only
 * then taken, so a refusal moves nothing. Skipping counts the values still
 * owed instead of recursing: nesting costs nothing.
 */
#include "common/unpack.h"

#include <assert.h>

enum head_type {
    HEAD_OTHER, /* nil, floats, binaries, extensions */
    HEAD_BOOL,
    HEAD_NUMBER,   /* not negative */
    HEAD_NEGATIVE, /* value holds the bits of an int64_t */
    HEAD_TEXT,
    HEAD_ARRAY,
    HEAD_MAP
};

/* The first bytes of a value. */
struct head {
    enum head_type type;
    size_t size;    /* bytes of the head itself */
    uint64_t value; /* number, truth, or count of items */
    uint64_t body;  /* bytes that follow and belong to it */
};

/* How the bytes 0xc0..0xdf are to be read. */
struct format {
    enum head_type type;
    unsigned char width; /* bytes of the number after the first byte */
    unsigned char fixed; /* bytes of the body beside what the number says */
    bool is_length;      /* the number is the length of the body */
    bool is_signed;
};

static const struct format formats[32] = {
    [0x00] = {HEAD_OTHER, 0, 0, false, false}, /* nil */
    [0x02] = {HEAD_BOOL, 0, 0, false, false},  /* false */
    [0x03] = {HEAD_BOOL, 0, 0, false, false},  /* true */
    [0x04] = {HEAD_OTHER, 1, 0, true, false},  /* bin 8, 16, 32 */
    [0x05] = {HEAD_OTHER, 2, 0, true, false},
    [0x06] = {HEAD_OTHER, 4, 0, true, false},
    [0x07] = {HEAD_OTHER, 1, 1, true, false}, /* ext 8, 16, 32 */
    [0x08] = {HEAD_OTHER, 2, 1, true, false},
    [0x09] = {HEAD_OTHER, 4, 1, true, false},
    [0x0a] = {HEAD_OTHER, 0, 4, false, false}, /* float 32, 64 */
    [0x0b] = {HEAD_OTHER, 0, 8, false, false},
    [0x0c] = {HEAD_NUMBER, 1, 0, false, false}, /* uint 8, 16, 32, 64 */
    [0x0d] = {HEAD_NUMBER, 2, 0, false, false},
    [0x0e] = {HEAD_NUMBER, 4, 0, false, false},
    [0x0f] = {HEAD_NUMBER, 8, 0, false, false},
    [0x10] = {HEAD_NUMBER, 1, 0, false, true}, /* int 8, 16, 32, 64 */
    [0x11] = {HEAD_NUMBER, 2, 0, false, true},
    [0x12] = {HEAD_NUMBER, 4, 0, false, true},
    [0x13] = {HEAD_NUMBER, 8, 0, false, true},
    [0x14] = {HEAD_OTHER, 0, 2, false, false}, /* fixext 1, 2, 4, 8, 16 */
    [0x15] = {HEAD_OTHER, 0, 3, false, false},
    [0x16] = {HEAD_OTHER, 0, 5, false, false},
    [0x17] = {HEAD_OTHER, 0, 9, false, false},
    [0x18] = {HEAD_OTHER, 0, 17, false, false},
    [0x19] = {HEAD_TEXT, 1, 0, true, false}, /* str 8, 16, 32 */
    [0x1a] = {HEAD_TEXT, 2, 0, true, false},
    [0x1b] = {HEAD_TEXT, 4, 0, true, false},
    [0x1c] = {HEAD_ARRAY, 2, 0, false, false}, /* array 16, 32 */
    [0x1d] = {HEAD_ARRAY, 4, 0, false, false},
    [0x1e] = {HEAD_MAP, 2, 0, false, false}, /* map 16, 32 */
    [0x1f] = {HEAD_MAP, 4, 0, false, false},
};

struct unpack unpack_of(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    return (struct unpack){at, len == 0 ? at : at + len};
}

static size_t bytes_left(const struct unpack *in)
{
    return (size_t)(in->end - in->at);
}

static uint64_t read_big_endian(const unsigned char *at, size_t width)
{
    uint64_t value = 0;
    for (size_t i = 0; i < width; i++)
        value = value << 8 | at[i];
    return value;
}

/* Spreads the sign of a number of width bytes; tells whether it has one. */
static bool spread_sign(uint64_t *value, size_t width)
{
    assert(1 <= width && width <= sizeof *value);
    uint64_t sign = (uint64_t)1 << (8 * width - 1);
    if ((*value & sign) == 0)
        return false;
    *value |= ~(sign - 1);
    return true;
}

/* Heads of one byte that carry their number in it. */
static struct head short_head(unsigned char first)
{
    if (first < 0x80)
        return (struct head){HEAD_NUMBER, 1, first, 0};
    if (first < 0x90)
        return (struct head){HEAD_MAP, 1, first & 0x0f, 0};
    if (first < 0xa0)
        return (struct head){HEAD_ARRAY, 1, first & 0x0f, 0};
    if (first < 0xc0)
        return (struct head){HEAD_TEXT, 1, first & 0x1f, first & 0x1f};
    uint64_t value = first;
    spread_sign(&value, 1);
    return (struct head){HEAD_NEGATIVE, 1, value, 0};
}

static struct head long_head(const unsigned char *at,
                             const struct format *format)
{
    struct head head = {format->type, 1u + format->width, 0, format->fixed};
    head.value = read_big_endian(at + 1, format->width);
    if (format->type == HEAD_BOOL)
        head.value = *at & 1;
    if (format->is_length)
        head.body += head.value;
    if (format->is_signed && spread_sign(&head.value, format->width))
        head.type = HEAD_NEGATIVE;
    return head;
}

/* Looks at the next value. False when it is not wholly there (the items of an
 * array or map: at least a byte each). */
static bool look(const struct unpack *in, struct head *ret)
{
    size_t left = bytes_left(in);
    if (left == 0 || *in->at == 0xc1)
        return false;
    bool is_long = *in->at >= 0xc0 && *in->at < 0xe0;
    const struct format *format = is_long ? &formats[*in->at & 0x1f] : NULL;
    if (is_long && left < 1u + format->width)
        return false;
    struct head head =
        is_long ? long_head(in->at, format) : short_head(*in->at);
    uint64_t items = head.type == HEAD_ARRAY ? head.value
                     : head.type == HEAD_MAP ? 2 * head.value
                                             : 0;
    if (head.body + items > left - head.size)
        return false;
    *ret = head;
    return true;
}

static bool take(struct unpack *in, enum head_type type, struct head *ret)
{
    struct head head;
    if (!look(in, &head) || head.type != type)
        return false;
    in->at += head.size + head.body;
    *ret = head;
    return true;
}

bool unpack_bool(struct unpack *in, bool *ret)
{
    struct head head;
    if (!take(in, HEAD_BOOL, &head))
        return false;
    *ret = head.value != 0;
    return true;
}

bool unpack_i64(struct unpack *in, int64_t *ret)
{
    struct head head;
    if (!look(in, &head))
        return false;
    bool fits = head.type == HEAD_NEGATIVE ||
                (head.type == HEAD_NUMBER && head.value <= INT64_MAX);
    if (!fits)
        return false;
    in->at += head.size;
    *ret = (int64_t)head.value;
    return true;
}

bool unpack_u64(struct unpack *in, uint64_t *ret)
{
    struct head head;
    if (!take(in, HEAD_NUMBER, &head))
        return false;
    *ret = head.value;
    return true;
}

bool unpack_text(struct unpack *in, const char **ret_text, size_t *ret_len)
{
    struct head head;
    if (!take(in, HEAD_TEXT, &head))
        return false;
    *ret_text = (const char *)in->at - head.body;
    *ret_len = (size_t)head.body;
    return true;
}

bool unpack_array(struct unpack *in, size_t *ret_count)
{
    struct head head;
    if (!take(in, HEAD_ARRAY, &head))
        return false;
    *ret_count = (size_t)head.value;
    return true;
}

bool unpack_skip(struct unpack *in)
{
    struct unpack walk = *in;
    for (uint64_t owed = 1; owed > 0; owed--) {
        struct head head;
        if (!look(&walk, &head))
            return false;
        walk.at += head.size + head.body;
        if (head.type == HEAD_ARRAY)
            owed += head.value;
        else if (head.type == HEAD_MAP)
            owed += 2 * head.value;
    }
    *in = walk;
    return true;
}
