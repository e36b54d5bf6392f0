/* SPDX-License-Identifier: Apache-2.0
 *
 * Request headers as the handlers see them: the lines of one name put together
 * with commas between (RFC 9110, 5.3), and no blanks behind a value. What takes
 * one value alone finds the comma, and refuses it.
 */
#include "common/http/httpd_parts.h"

#include <string.h>
#include <strings.h>
#include <utlist.h>

#include "common/limits.h"
#include "common/mem.h"

struct joined {
    const char *name; /* borrowed: names are constants */
    char *value;
    struct joined *next;
};

struct lines {
    const char *name, *first;
    struct buf all;
    int n;
};

static size_t trimmed_len(const char *value)
{
    size_t len = strlen(value);
    while (len > 0 && (value[len - 1] == ' ' || value[len - 1] == '\t'))
        len--;
    return len;
}

static enum MHD_Result add_line(void *context, enum MHD_ValueKind kind,
                                const char *name, const char *value)
{
    struct lines *lines = context;
    (void)kind;
    if (strcasecmp(name, lines->name) != 0)
        return MHD_YES;
    if (value == NULL)
        value = "";
    if (lines->n++ == 0)
        lines->first = value;
    else
        buf_add(&lines->all, ", ", 2);
    buf_add(&lines->all, value, trimmed_len(value));
    return MHD_YES;
}

static const char *keep(struct request *request, const char *name, char *value)
{
    struct joined *joined = mem_new(sizeof *joined);
    *joined = (struct joined){.name = name, .value = value};
    LL_PREPEND(request->joined, joined);
    return value;
}

const char *header_find(struct request *request, const char *name)
{
    const struct joined *known;
    struct lines lines = {.name = name};
    LL_FOREACH (request->joined, known)
        if (strcasecmp(known->name, name) == 0)
            return known->value;
    buf_init(&lines.all, 2 * (size_t)LIMIT_HEAD);
    MHD_get_connection_values(request->peer->connection, MHD_HEADER_KIND,
                              add_line, &lines);
    if (lines.n > 1 || (lines.n == 1 && lines.all.len < strlen(lines.first)))
        return keep(request, name, buf_take(&lines.all));
    buf_free(&lines.all);
    return lines.first;
}

void header_forget(struct request *request)
{
    struct joined *joined, *next;
    LL_FOREACH_SAFE (request->joined, joined, next) {
        mem_free(joined->value);
        mem_free(joined);
    }
    request->joined = NULL;
}
