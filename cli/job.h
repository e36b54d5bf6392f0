/* SPDX-License-Identifier: Apache-2.0
 *
 * Jobs as people name them, and what is said of one in several places.
 */
#ifndef FRAMEQ_CLI_JOB_H
#define FRAMEQ_CLI_JOB_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/cli.h"
#include "common/buf.h"

#define JOB_PREFIX_SHORT 4 /* of shorter words a name beats a beginning */

/* job_find returns the job that text names: an id, a unique beginning of one,
 * or the name of the newest job so named. Owned. Ends the program when there is
 * none or the beginning is not unique (exit 4). */
json_t *job_find(struct cli *cli, const char *text);

/* job_seek is job_find, but returns NULL when there is none. */
json_t *job_seek(struct cli *cli, const char *text);

enum job_match { JOB_NONE, JOB_ONE, JOB_MANY };

/* job_match is the rule of job_find over jobs, newest first. JOB_ONE: ret is
 * it, borrowed; JOB_MANY: ret is a new array of the candidates. Pure. */
enum job_match job_match(const json_t *jobs, const char *text, json_t **ret);

/* job_label returns a job's name, or its id when it has none. Borrowed. */
const char *job_label(const json_t *job);

/* job_over tells whether a state is an end. */
bool job_over(const char *state);

/* job_bar returns the job's counts for a bar. */
struct bar job_bar(const json_t *job);

/* job_tell_failures appends the job's failed frames with class, reason and
 * what to do, indented; nothing when it has none. */
void job_tell_failures(const json_t *job, const struct term *term,
                       struct buf *out);

/* job_tell_end appends how an ended job ended, its failures, and the command
 * that renders the failed frames again (hint: see cli.h). */
void job_tell_end(const json_t *job, const struct term *term, const char *hint,
                  struct buf *out);

/* job_code returns the exit code of an ended job: 0 completed, else 1. */
int job_code(const json_t *job);

#endif
