/* SPDX-License-Identifier: Apache-2.0
 *
 * The farm of `frameq dev`: its folder, its programs.
 */
#ifndef FRAMEQ_CLI_DEV_DEV_H
#define FRAMEQ_CLI_DEV_DEV_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/dev/child.h"
#include "common/app/conf.h"
#include "common/app/join.h"

#define DEV_HTTP_PORT 4000 /* unless that is taken */

struct dev {
    const struct conf *conf; /* agents, blender */
    struct children *children;
    char dir[PATH_MAX];   /* ./frameq-dev */
    char scene[PATH_MAX]; /* rendered by jobs that name none */
    int lock;             /* descriptor that holds dir */
    int agents;
    char http[64];            /* "127.0.0.1:4000", once the broker runs */
    char token[TOKEN_SECRET]; /* "": the farm is on loopback, and wants none */
};

/* dev_take makes ./frameq-dev with what belongs into it and holds it for this
 * process; ends the program when another one does, or it cannot be made. */
void dev_take(struct dev *dev);

/* dev_drop removes everything but the frames. dev_release lets go of the
 * folder. */
void dev_drop(const struct dev *dev);
void dev_release(struct dev *dev);

/* dev_path writes the path of a name in the folder and returns ret, which has
 * PATH_MAX bytes. */
char *dev_path(const struct dev *dev, const char *name, char ret[PATH_MAX]);

enum dev_end {
    DEV_WELL,
    DEV_STOPPED, /* a signal said: end */
    DEV_BROKEN   /* said on stderr */
};

/* dev_start starts the broker, then each node with its agent, each when the
 * one before is ready, and waits a little until all can take work. */
enum dev_end dev_start(struct dev *dev);

/* dev_end ends agents, then nodes, then the broker, and what else runs. */
void dev_end(struct dev *dev);

#endif
