/* SPDX-License-Identifier: Apache-2.0
 *
 * DIR, where movies are kept as <job>.<fps>.<codec>.<digest>.<suffix>, and
 * DIR/work, where one is being made. Knows names, no jobs.
 */
#ifndef FRAMEQ_BROKER_FILES_MOVIES_DISK_H
#define FRAMEQ_BROKER_FILES_MOVIES_DISK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* movie_work_make makes DIR/work, empty; movie_work_drop removes it. */
bool movie_work_make(const char *dir);
void movie_work_drop(const char *dir);

/* movie_link makes the nth picture in DIR/work lead to the open file fd. */
bool movie_link(const char *dir, int32_t n, const char *suffix, int fd);

/* movie_drop removes the movies whose name begins with prefix, but keep (NULL:
 * none). Returns whether any movie is left. */
bool movie_drop(const char *dir, const char *prefix, const char *keep);

/* movie_sweep removes the movies of jobs that lives(ctx, job) denies. Returns
 * whether any is left. */
bool movie_sweep(const char *dir, bool (*lives)(void *ctx, const char *job),
                 void *ctx);

/* movie_has_room tells whether the disk has more free than jobs need. */
bool movie_has_room(const char *dir);

#endif
