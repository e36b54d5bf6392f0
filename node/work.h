/* SPDX-License-Identifier: Apache-2.0
 *
 * OUTPUT/.work: where work in progress lies. Several nodes may share OUTPUT,
 * so every folder in it is locked by the process that uses it; what nobody
 * holds is a dead node's and is swept away.
 */
#ifndef FRAMEQ_NODE_WORK_H
#define FRAMEQ_NODE_WORK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct work {
    char *path;  /* absolute; owned; NULL: none */
    int lock_fd; /* holds the folder; -1: none */
};

/* work_open makes the folder root/<name>, emptied of a dead owner's things; a
 * name that is in use gets spare appended. Returns false with errno. */
bool work_open(const char *root, const char *name, int64_t spare,
               struct work *ret);

/* work_close removes the folder with all in it. */
void work_close(struct work *work);

/* work_sweep removes all folders under root that nobody holds; returns how
 * many. */
int work_sweep(const char *root);

/* work_remove removes a folder and all in it, following no link. */
void work_remove(const char *path);

#endif
