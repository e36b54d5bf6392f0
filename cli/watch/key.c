/* SPDX-License-Identifier: Apache-2.0
 *
 * Keys as terminals send them: a character, or ESC and a sequence (ECMA-48).
 * Pure. A lone ESC is the key itself; its reader waits for no more bytes, as
 * terminals send a sequence at once.
 */
#include <string.h>

#include "cli/watch/board.h"

/* The length of the sequence that begins with ESC [ or ESC O; 0: it goes on. */
static size_t sequence_len(const char *bytes, size_t n)
{
    for (size_t i = 2; i < n; i++)
        if (bytes[i] >= 0x40 && bytes[i] <= 0x7e)
            return i + 1;
    return 0;
}

static int sequence_key(char last)
{
    static const struct {
        char last;
        int key;
    } rows[] = {
        {'A', KEY_UP}, {'B', KEY_DOWN}, {'H', KEY_HOME}, {'F', KEY_END}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].last == last)
            return rows[i].key;
    return KEY_OTHER;
}

size_t key_read(const char *bytes, size_t n, int *ret)
{
    unsigned char first = (unsigned char)bytes[0];
    *ret = first < 0x80 ? first : KEY_OTHER;
    if (first != KEY_ESCAPE || n == 1 || (bytes[1] != '[' && bytes[1] != 'O'))
        return 1;
    size_t len = sequence_len(bytes, n);
    if (len > 0)
        *ret = sequence_key(bytes[len - 1]);
    return len;
}
