/* SPDX-License-Identifier: Apache-2.0
 *
 * UTF-8 as of RFC 3629: no overlong forms, no surrogates, nothing past
 * U+10FFFF.
 */
#include "common/text.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* How many bytes the character that starts with this byte has; 0: none. */
static size_t rune_len(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

static bool rune_is_allowed(uint32_t rune, size_t n)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    return rune >= least[n] && rune <= 0x10ffff &&
           (rune < 0xd800 || rune > 0xdfff);
}

static bool rune_is_control(uint32_t rune)
{
    return rune < 0x20 || (rune >= 0x7f && rune < 0xa0);
}

/* The bytes of the plain character at text, of which len (at least 1) are
 * there; 0 when it is a control character or none at all. */
static size_t plain_rune(const char *text, size_t len)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t n = rune_len(bytes[0]);
    if (n == 0 || n > len)
        return 0;
    uint32_t rune = n == 1 ? bytes[0] : bytes[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        rune = rune << 6 | (bytes[i] & 0x3fu);
    }
    return rune_is_allowed(rune, n) && !rune_is_control(rune) ? n : 0;
}

bool text_is_plain(const char *text, size_t len)
{
    for (size_t i = 0, n; i < len; i += n)
        if ((n = plain_rune(text + i, len - i)) == 0)
            return false;
    return true;
}

bool text_equals(const char *word, const char *text, size_t len)
{
    return strlen(word) == len && memcmp(word, text, len) == 0;
}

char *text_excerpt(const char *text, size_t len, char *ret, size_t size)
{
    assert(size >= 8);
    size_t out = 0, mark = 0; /* mark: where "..." still fits */
    for (size_t i = 0; i < len;) {
        size_t n = plain_rune(text + i, len - i);
        size_t step = n == 0 ? 1 : n;
        if (out + step >= size) {
            memcpy(ret + mark, "...", 4);
            return ret;
        }
        memcpy(ret + out, n == 0 ? "?" : text + i, step);
        i += step;
        out += step;
        if (out + 4 <= size)
            mark = out;
    }
    ret[out] = '\0';
    return ret;
}

bool text_is_name_char(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
           (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
}

char *text_choice(const char *const *words, char *ret, size_t size)
{
    size_t len = 0;
    *ret = '\0';
    for (size_t i = 0; words[i] != NULL && len < size; i++) {
        const char *joint = words[i + 1] == NULL ? " or " : ", ";
        int n = snprintf(ret + len, size - len, "%s%s", i == 0 ? "" : joint,
                         words[i]);
        assert(n >= 0);
        len += (size_t)n;
    }
    return ret;
}
