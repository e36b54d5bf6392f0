/* SPDX-License-Identifier: Apache-2.0
 *
 * In OpenMetrics a counter's family has the name without "_total", and only its
 * values have it; so no gauge may be called as a counter is without that.
 */
#include "broker/views/exposition.h"

#include <string.h>

void exposition_head(const struct exposition *to, enum metric kind,
                     const char *name, const char *help)
{
    static const char *const words[] = {"gauge", "counter", "histogram"};
    static const char total[] = "_total";
    size_t len = strlen(name);
    if (to->open && kind == METRIC_COUNTER)
        len -= sizeof total - 1;
    buf_print(to->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", (int)len, name, help,
              (int)len, name, words[kind]);
}

void exposition_one(const struct exposition *to, enum metric kind,
                    const char *name, const char *help, double value)
{
    exposition_head(to, kind, name, help);
    buf_print(to->out, "%s %.15g\n", name, value);
}

void exposition_with(const struct exposition *to, const char *name,
                     const char *label, const char *word, double value)
{
    buf_print(to->out, "%s{%s=\"%s\"} %.15g\n", name, label, word, value);
}

const char *exposition_type(const struct exposition *to)
{
    return to->open ? "application/openmetrics-text; version=1.0.0; "
                      "charset=utf-8"
                    : "text/plain; version=0.0.4; charset=utf-8";
}

void exposition_end(const struct exposition *to)
{
    if (to->open)
        buf_print(to->out, "# EOF\n");
}
