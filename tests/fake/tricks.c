/* SPDX-License-Identifier: Apache-2.0
 *
 * A short list, searched from its start.
 */
#include "tests/fake/tricks.h"

#include <stdlib.h>
#include <string.h>

enum kind { KIND_FRAME, KIND_TIMES };

static const struct {
    const char *word;
    enum kind kind;
} table[TRICKS] = {
#define TRICK(name, word, kind, help) {word, KIND_##kind},
#include "tests/fake/tricks.def"
#undef TRICK
};

const char *trick_word(enum trick trick)
{
    return table[trick].word;
}

/* Reads a number of 0 or more that ends the text or stands before `until`.
 * Returns what follows, or NULL. */
static const char *read_count(const char *text, char until, int32_t *ret)
{
    char *end;
    if (*text < '0' || *text > '9')
        return NULL;
    long value = strtol(text, &end, 10);
    if (value > INT32_MAX || (*end != '\0' && *end != until))
        return NULL;
    *ret = (int32_t)value;
    return end;
}

/* Reads a value other than "off". */
static bool read_value(enum kind kind, const char *value, struct armed *ret)
{
    ret->frame = -1;
    ret->times = INT32_MAX;
    if (kind == KIND_TIMES)
        return strcmp(value, "always") == 0 ||
               read_count(value, '\0', &ret->times) != NULL;
    const char *rest = read_count(value, ':', &ret->frame);
    if (rest == NULL || *rest == '\0')
        return rest != NULL;
    return read_count(rest + 1, '\0', &ret->times) != NULL;
}

const char *trick_is_frame(const char *value)
{
    struct armed unused;
    return strcmp(value, "off") == 0 || read_value(KIND_FRAME, value, &unused)
               ? NULL
               : "is not a frame, FRAME:TIMES or off";
}

const char *trick_is_times(const char *value)
{
    struct armed unused;
    return strcmp(value, "off") == 0 || read_value(KIND_TIMES, value, &unused)
               ? NULL
               : "is not a number of times, always or off";
}

static void disarm(struct tricks *tricks, enum trick trick)
{
    size_t kept = 0;
    for (size_t i = 0; i < tricks->n; i++)
        if (tricks->at[i].trick != trick)
            tricks->at[kept++] = tricks->at[i];
    tricks->n = kept;
}

static enum trick find_word(const char *word)
{
    int i = 0;
    while (i < TRICKS && strcmp(table[i].word, word) != 0)
        i++;
    return (enum trick)i;
}

const char *tricks_arm(struct tricks *tricks, const char *word,
                       const char *value)
{
    enum trick trick = find_word(word);
    if (trick == TRICKS)
        return "no such trick";
    if (strcmp(value, "off") == 0) {
        disarm(tricks, trick);
        return NULL;
    }
    struct armed armed = {.trick = trick};
    if (!read_value(table[trick].kind, value, &armed))
        return "not a value for that trick";
    if (tricks->n == TRICKS_ARMED)
        return "too many tricks";
    tricks->at[tricks->n++] = armed;
    return NULL;
}

bool tricks_play(struct tricks *tricks, enum trick trick, int32_t frame)
{
    for (size_t i = 0; i < tricks->n; i++) {
        struct armed *armed = &tricks->at[i];
        if (armed->trick != trick || armed->frame != frame || armed->times == 0)
            continue;
        armed->times--;
        return true;
    }
    return false;
}

int32_t tricks_armed(const struct tricks *tricks, enum trick trick)
{
    for (size_t i = 0; i < tricks->n; i++)
        if (tricks->at[i].trick == trick && tricks->at[i].times > 0)
            return tricks->at[i].frame;
    return -1;
}
