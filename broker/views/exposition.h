/* SPDX-License-Identifier: Apache-2.0
 *
 * How metrics are written: Prometheus' text format 0.0.4, or OpenMetrics 1.0,
 * which it is but for how counters are named in their heads, and the end.
 */
#ifndef FRAMEQ_BROKER_VIEWS_EXPOSITION_H
#define FRAMEQ_BROKER_VIEWS_EXPOSITION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

enum metric { METRIC_GAUGE, METRIC_COUNTER, METRIC_HISTOGRAM };

struct exposition {
    struct buf *out; /* borrowed */
    bool open;       /* as OpenMetrics */
};

/* exposition_head begins a family. The name of a counter ends in "_total"; help
 * is one line without quotes and backslashes. */
void exposition_head(const struct exposition *to, enum metric kind,
                     const char *name, const char *help);

/* exposition_one is a family of one value. */
void exposition_one(const struct exposition *to, enum metric kind,
                    const char *name, const char *help, double value);

/* exposition_with adds a value that has one label. The label's value is one of
 * the program's own words. */
void exposition_with(const struct exposition *to, const char *name,
                     const char *label, const char *word, double value);

/* exposition_type returns the Content-Type. exposition_end writes what the
 * format ends in. */
const char *exposition_type(const struct exposition *to);
void exposition_end(const struct exposition *to);

#endif
