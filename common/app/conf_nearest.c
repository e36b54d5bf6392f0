/* SPDX-License-Identifier: Apache-2.0
 *
 * The word that was probably meant, by the edit distance that counts two
 * swapped letters as one slip and the wrong case as none. Compares bytes; long
 * words are cut.
 */
#include "common/app/conf.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 63

static bool is_same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Fills one row of the distance table from the two before it. */
static void fill_row(size_t rows[3][WORD_MAX + 1], size_t i, const char *a,
                     const char *b)
{
    size_t *row = rows[i % 3], *above = rows[(i + 2) % 3];
    size_t *before = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= strnlen(b, WORD_MAX); j++) {
        row[j] = least(least(above[j], row[j - 1]) + 1,
                       above[j - 1] + !is_same(a[i - 1], b[j - 1]));
        if (i > 1 && j > 1 && is_same(a[i - 1], b[j - 2]) &&
            is_same(a[i - 2], b[j - 1]))
            row[j] = least(row[j], before[j - 2] + 1);
    }
}

static size_t distance(const char *a, const char *b)
{
    size_t rows[3][WORD_MAX + 1] = {{0}};
    size_t a_len = strnlen(a, WORD_MAX), b_len = strnlen(b, WORD_MAX);
    for (size_t j = 0; j <= b_len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_len; i++)
        fill_row(rows, i, a, b);
    return rows[a_len % 3][b_len];
}

/* Slips, doubled: a beginning of the word lies between one slip and two, so
 * that `form` means `from` before `format`. */
static size_t score(const char *word, const char *known)
{
    size_t len = strlen(word), slips = distance(word, known);
    bool begins = len > 1 && strncasecmp(word, known, len) == 0;
    return begins && slips > 1 ? 3 : slips * 2;
}

const char *conf_nearest(const char *word, const char *const *words, size_t n)
{
    const char *best = NULL;
    size_t best_score = 3 + 2 * (strnlen(word, WORD_MAX) / 3); /* or no hint */
    for (size_t i = 0; i < n; i++) {
        size_t s = score(word, words[i]);
        if (s < best_score || (s == best_score && best == NULL)) {
            best_score = s;
            best = words[i];
        }
    }
    return best;
}
