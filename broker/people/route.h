/* SPDX-License-Identifier: Apache-2.0
 *
 * Which handler a method and a path lead to. Pure; the tables are those of
 * routes/.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_ROUTE_H
#define FRAMEQ_BROKER_PEOPLE_ROUTE_H

#include <stdbool.h>

#include "common/app/tokens.h"
#include "common/buf.h"
#include "common/limits.h"

struct call;

/* A row of a table; a table ends with a row without method. In a pattern "{}"
 * stands for one parameter: 1 to LIMIT_ID characters other than '/' and ':'. */
struct route {
    const char *method; /* "GET" answers HEAD too */
    const char *pattern;
    void (*handle)(struct call *call);
    enum token_role role; /* what it takes where the farm has tokens */
};

#define ROUTE_PARAMS 2
struct route_params {
    char at[ROUTE_PARAMS][LIMIT_ID + 1];
};

/* route_match tells whether a path fits a pattern; ret is filled when it does.
 */
bool route_match(const char *pattern, const char *path,
                 struct route_params *ret);

/* route_find returns the row for a method and a path in a list of tables ended
 * by NULL, or NULL. */
const struct route *route_find(const struct route *const *tables,
                               const char *method, const char *path,
                               struct route_params *ret);

/* route_allow appends the methods a path takes, as Allow wants them ("GET,
 * HEAD, POST"); nothing when no pattern fits. */
void route_allow(const struct route *const *tables, const char *path,
                 struct buf *out);

#endif
