/* SPDX-License-Identifier: Apache-2.0
 *
 * Matching by a walk over the tables: they are short, and a walk needs no
 * preparation that could go wrong.
 */
#include "broker/people/route.h"

#include <string.h>

/* Copies a parameter from *path; false when it is empty or too long. */
static bool take_param(const char **path, char ret[LIMIT_ID + 1])
{
    size_t len = strcspn(*path, "/:");
    if (len == 0 || len > LIMIT_ID)
        return false;
    memcpy(ret, *path, len);
    ret[len] = '\0';
    *path += len;
    return true;
}

bool route_match(const char *pattern, const char *path,
                 struct route_params *ret)
{
    struct route_params params = {0};
    int n = 0;
    while (*pattern) {
        if (*pattern == '{') {
            if (n == ROUTE_PARAMS || !take_param(&path, params.at[n++]))
                return false;
            pattern += 2;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    if (*path)
        return false;
    *ret = params;
    return true;
}

static bool takes_method(const struct route *route, const char *method)
{
    if (strcmp(method, "HEAD") == 0)
        method = "GET";
    return strcmp(route->method, method) == 0;
}

const struct route *route_find(const struct route *const *tables,
                               const char *method, const char *path,
                               struct route_params *ret)
{
    for (; *tables; tables++)
        for (const struct route *row = *tables; row->method; row++)
            if (takes_method(row, method) &&
                route_match(row->pattern, path, ret))
                return row;
    return NULL;
}

static void allow_add(struct buf *out, const char *method)
{
    buf_print(out, "%s%s", out->len > 0 ? ", " : "", method);
    if (strcmp(method, "GET") == 0)
        buf_print(out, ", HEAD");
}

void route_allow(const struct route *const *tables, const char *path,
                 struct buf *out)
{
    struct route_params unused;
    for (; *tables; tables++)
        for (const struct route *row = *tables; row->method; row++)
            if (route_match(row->pattern, path, &unused))
                allow_add(out, row->method);
}
