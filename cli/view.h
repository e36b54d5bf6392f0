/* SPDX-License-Identifier: Apache-2.0
 *
 * What `frameq watch` shows in a terminal: jobs with bars, agents, why frames
 * fail. Pure: a mirror becomes lines.
 */
#ifndef FRAMEQ_CLI_VIEW_H
#define FRAMEQ_CLI_VIEW_H

#include "cli/mirror.h"
#include "cli/term.h"
#include "common/buf.h"

struct view {
    const struct mirror *mirror;
    const struct term *term;
    const char *job;  /* only of this job (its id); NULL: of all */
    const char *hint; /* for commands shown (cli.h); may be "" */
    int rows;         /* lines at most, at least 3 */
};

/* view_draw appends the lines, none wider than the terminal, and returns how
 * many there are. */
int view_draw(const struct view *view, struct buf *out);

#endif
