/* SPDX-License-Identifier: Apache-2.0
 *
 * Random times are drawn from the seed and the frame's number alone, so two
 * nodes agree about them and a run can be repeated.
 */
#include "tests/fake/pace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

/* The finaliser of splitmix64. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

/* A number in (0, 1]. */
static double uniform(uint64_t seed)
{
    return ((double)(mix(seed) >> 11) + 1) / 9007199254740992.0;
}

/* Box and Muller's way from two uniform numbers to a normal one. */
static double normal(uint64_t seed)
{
    double radius = sqrt(-2 * log(uniform(seed)));
    return radius * cos(6.283185307179586 * uniform(~seed));
}

static double draw(const struct pace *pace, int32_t frame)
{
    double z = normal(mix(pace->seed) + (uint64_t)frame);
    double shift = pace->sigma * pace->sigma / 2; /* keeps the mean */
    return pace->frame_ms * exp(pace->sigma * z - shift);
}

static const char *read_lognormal(struct pace *pace, const char *text)
{
    char *end;
    pace->frame_ms = strtod(text, &end);
    if (*end != ',')
        return "wants lognormal:MEAN_MS,SIGMA,SEED";
    pace->sigma = strtod(end + 1, &end);
    if (*end != ',')
        return "wants lognormal:MEAN_MS,SIGMA,SEED";
    pace->seed = strtoull(end + 1, &end, 10);
    return *end == '\0' ? NULL : "wants lognormal:MEAN_MS,SIGMA,SEED";
}

static const char *read_list(struct pace *pace, FILE *file)
{
    char line[64];
    while (fgets(line, sizeof line, file) != NULL) {
        char *end;
        double ms = strtod(line, &end);
        if (end == line || ms < 0)
            return "holds a line that is no number of ms";
        pace->list = mem_grow(pace->list, pace->n + 1, sizeof *pace->list);
        pace->list[pace->n++] = ms;
    }
    return pace->n == 0 ? "holds no line" : NULL;
}

const char *pace_read(struct pace *pace, const char *text)
{
    static const char lognormal[] = "lognormal:";
    if (strncmp(text, lognormal, sizeof lognormal - 1) == 0)
        return read_lognormal(pace, text + sizeof lognormal - 1);
    FILE *file = fopen(text, "re");
    if (file == NULL)
        return "cannot be opened";
    const char *reason = read_list(pace, file);
    fclose(file);
    return reason;
}

int64_t pace_launch(const struct pace *pace)
{
    return llround((double)pace->overhead_ms / pace->speed);
}

int64_t pace_frame(const struct pace *pace, int32_t frame)
{
    double ms = pace->frame_ms;
    if (pace->n > 0)
        ms = pace->list[(size_t)frame % pace->n];
    else if (pace->sigma > 0)
        ms = draw(pace, frame);
    return llround(ms / pace->speed);
}

void pace_free(struct pace *pace)
{
    mem_free(pace->list);
    pace->list = NULL;
    pace->n = 0;
}
