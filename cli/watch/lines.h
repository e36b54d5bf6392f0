/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of what `frameq watch` shows: one of a job, of an agent, of why frames
 * fail. Pure. None is wider than the terminal, and there are never more than
 * room for; further ones are left out.
 */
#ifndef FRAMEQ_CLI_WATCH_LINES_H
#define FRAMEQ_CLI_WATCH_LINES_H

#include <jansson.h>

#include "cli/term.h"
#include "common/buf.h"

struct lines {
    const struct term *term;
    const char *hint; /* for commands shown (cli.h); NULL: show none */
    struct buf *out;
    int n;    /* lines so far */
    int room; /* lines at most */
};

/* lines_end ends a line of text, cut and painted, and empties text. */
void lines_end(struct lines *lines, enum colour colour, struct buf *text);

/* lines_text adds a line of its own. */
void lines_text(struct lines *lines, enum colour colour, const char *format,
                ...) __attribute__((format(printf, 3, 4)));

/* mark stands before the line; BOLD makes the whole line bold. */
void lines_job(struct lines *lines, const char *mark, bool bold,
               const json_t *job);
void lines_agent(struct lines *lines, const char *mark, const json_t *agent);

/* lines_fault adds two lines of a group of the mirror's faults. of_one: only
 * one job is shown, which need not be named. */
void lines_fault(struct lines *lines, const json_t *group, bool of_one);

#endif
