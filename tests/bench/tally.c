/* SPDX-License-Identifier: Apache-2.0
 *
 * A handful of names: looked up by going through them.
 */
#include "tests/bench/tally.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static struct tally_row *row_of(struct tally *tally, const char *name)
{
    for (size_t i = 0; i < tally->n; i++)
        if (strcmp(tally->rows[i].name, name) == 0)
            return &tally->rows[i];
    assert(tally->n < TALLY_NAMES);
    tally->rows[tally->n].name = name;
    return &tally->rows[tally->n++];
}

void tally_add(struct tally *tally, const char *name, int decimals,
               double value)
{
    struct tally_row *row = row_of(tally, name);
    assert(row->n < TALLY_ROUNDS);
    row->decimals = decimals;
    row->at[row->n++] = value;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const struct tally_row *row)
{
    double sorted[TALLY_ROUNDS];
    memcpy(sorted, row->at, row->n * sizeof *sorted);
    qsort(sorted, row->n, sizeof *sorted, compare);
    return (sorted[(row->n - 1) / 2] + sorted[row->n / 2]) / 2;
}

double tally_median(const struct tally *tally, const char *name)
{
    for (size_t i = 0; i < tally->n; i++)
        if (strcmp(tally->rows[i].name, name) == 0)
            return median(&tally->rows[i]);
    return 0;
}

void tally_print(const struct tally *tally, FILE *out)
{
    for (size_t i = 0; i < tally->n; i++)
        fprintf(out, ",\"%s\":%.*f", tally->rows[i].name,
                tally->rows[i].decimals, median(&tally->rows[i]));
}
