/* SPDX-License-Identifier: Apache-2.0
 *
 * A value stays open until the next key shows that it was all of it. There is
 * always room left to close what is open.
 */
#include "common/app/log_json.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/text.h"

static const char closing[] = "...\"}\n";

struct writer {
    char *at;
    size_t left; /* before room for `closing` is touched */
    bool open;   /* a value is */
    bool cut;    /* nothing more fits */
};

static void put(struct writer *out, const char *bytes, size_t n)
{
    if (n > out->left)
        out->cut = true;
    if (out->cut)
        return;
    memcpy(out->at, bytes, n);
    out->at += n;
    out->left -= n;
}

static void put_byte(struct writer *out, unsigned char byte)
{
    char text[8];
    int n = snprintf(text, sizeof text, "%c", byte);
    if (byte == '"' || byte == '\\')
        n = snprintf(text, sizeof text, "\\%c", byte);
    else if (byte < 0x20 || byte == 0x7f)
        n = snprintf(text, sizeof text, "\\u%04x", byte);
    else if (byte > 0x7f)
        n = snprintf(text, sizeof text, "\\ufffd");
    put(out, text, (size_t)n);
}

/* Writes one character; returns how many bytes of text it was. */
static size_t put_character(struct writer *out, const char *text)
{
    size_t left = strnlen(text, 4);
    for (size_t n = 2; (unsigned char)*text > 0x7f && n <= left; n++)
        if (text_is_plain(text, n)) {
            put(out, text, n);
            return n;
        }
    put_byte(out, (unsigned char)*text);
    return 1;
}

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at ? (int)(at - digits) : -1;
}

/* Writes what stands behind a backslash; returns how many bytes that was. */
static size_t put_escaped(struct writer *out, const char *text)
{
    static const char pairs[] = "n\nr\rt\t";
    const char *pair = pairs;
    if (*text == 'x' && digit(text[1]) >= 0 && digit(text[2]) >= 0) {
        put_byte(out, (unsigned char)(16 * digit(text[1]) + digit(text[2])));
        return 3;
    }
    while (*pair != '\0' && *pair != *text)
        pair += 2;
    put_byte(out, (unsigned char)(*pair != '\0' ? pair[1] : *text));
    return 1;
}

static const char *put_quoted(struct writer *out, const char *text)
{
    while (*text != '\0' && *text != '"') {
        if (*text == '\\' && text[1] != '\0')
            text += 1 + put_escaped(out, text + 1);
        else
            text += put_character(out, text);
    }
    return *text == '"' ? text + 1 : text;
}

static const char *put_word(struct writer *out, const char *text)
{
    while (*text != '\0' && *text != ' ')
        text += put_character(out, text);
    return text;
}

/* The length of the key that text begins with, or 0. */
static size_t key_length(const char *text)
{
    size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return text[n] == '=' ? n : 0;
}

static void put_key(struct writer *out, const char *key, size_t n)
{
    if (n + 6 > out->left) { /* whole, or not at all */
        out->cut = true;
        return;
    }
    put(out, out->open ? "\",\"" : "{\"", out->open ? 3 : 2);
    put(out, key, n);
    put(out, "\":\"", 3);
    out->open = true;
}

static const char *put_next(struct writer *out, const char *text)
{
    size_t key = key_length(text);
    if (key > 0) {
        put_key(out, text, key);
        text += key + 1;
    } else if (out->open) {
        put_byte(out, ' ');
    } else {
        put_key(out, "text", 4);
    }
    return *text == '"' ? put_quoted(out, text + 1) : put_word(out, text);
}

size_t log_json(const char *line, char *ret, size_t size)
{
    assert(size >= 64);
    struct writer out = {.at = ret, .left = size - sizeof closing};
    for (const char *at = line; *at != '\0' && !out.cut;)
        at = *at == ' ' ? at + 1 : put_next(&out, at);
    const char *end = closing + (out.cut ? 0 : 3); /* without the dots */
    if (!out.open)
        end = "{}\n";
    memcpy(out.at, end, strlen(end) + 1);
    return (size_t)(out.at - ret) + strlen(end);
}
