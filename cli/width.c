/* SPDX-License-Identifier: Apache-2.0
 *
 * How many columns text takes on a terminal. Pure but for wcwidth, which asks
 * the locale; what that does not know counts as one column.
 */
#include <stddef.h>
#include <string.h>
#include <wchar.h>

#include "cli/term.h"

/* Reads the character at text (not at its end) and returns its bytes. Broken
 * UTF-8 reads as single bytes. */
static size_t rune_read(const char *text, int *ret_columns)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t n = at[0] < 0xc2   ? 1
               : at[0] < 0xe0 ? 2
               : at[0] < 0xf0 ? 3
               : at[0] < 0xf5 ? 4
                              : 1;
    wchar_t rune = (wchar_t)(n == 1 ? at[0] : at[0] & (0x7fu >> n));
    for (size_t i = 1; i < n; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            *ret_columns = 1;
            return 1;
        }
        rune = (wchar_t)(rune << 6 | (at[i] & 0x3f));
    }
    int columns = wcwidth(rune);
    *ret_columns = columns < 0 ? 1 : columns;
    return n;
}

int width_of(const char *text)
{
    int width = 0, columns;
    while (*text != '\0') {
        text += rune_read(text, &columns);
        width += columns;
    }
    return width;
}

int width_cut(const char *text, int columns, const struct term *term,
              struct buf *out)
{
    int width = width_of(text), taken = 0, next;
    if (width <= columns) {
        buf_add(out, text, strlen(text));
        return width;
    }
    int room = columns - (term->utf8 ? 1 : 3);
    const char *at = text;
    for (;;) {
        size_t n = rune_read(at, &next);
        if (taken + next > room)
            break;
        buf_add(out, at, n);
        at += n;
        taken += next;
    }
    int dots = columns - taken < 3 ? columns - taken : 3;
    if (term->utf8 && columns > 0)
        buf_print(out, "…");
    else
        buf_print(out, "%.*s", dots, "...");
    return taken + (term->utf8 ? columns > 0 : dots);
}
