/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of `frameq dev`. Frames are never removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/dev/dev.h"
#include "common/app/log.h"

char *dev_path(const struct dev *dev, const char *name, char ret[PATH_MAX])
{
    if (snprintf(ret, PATH_MAX, "%s/%s", dev->dir, name) >= PATH_MAX)
        log_fatal(CLI_FAILED, "the path of this folder is too long");
    return ret;
}

static void make_dir(const struct dev *dev, const char *name)
{
    char path[PATH_MAX];
    if (!conf_make_dir(dev_path(dev, name, path)))
        log_fatal(CLI_FAILED, "cannot make %s: %s", path, strerror(errno));
}

void dev_take(struct dev *dev)
{
    char path[PATH_MAX];
    if (getcwd(path, sizeof path) == NULL)
        log_fatal(CLI_FAILED, "no working folder: %s", strerror(errno));
    if (snprintf(dev->dir, sizeof dev->dir, "%s/frameq-dev",
                 strcmp(path, "/") == 0 ? "" : path) >= PATH_MAX)
        log_fatal(CLI_FAILED, "the path of this folder is too long");
    make_dir(dev, "frames");
    make_dir(dev, "logs");
    dev->lock =
        open(dev_path(dev, "lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (dev->lock < 0)
        log_fatal(CLI_FAILED, "%s: %s", path, strerror(errno));
    /* Two farms in one folder would share a ledger. */
    if (flock(dev->lock, LOCK_EX | LOCK_NB) != 0)
        log_fatal(CLI_FAILED, "another `frameq dev` runs in this folder: end "
                              "it, or start in another one");
}

static int remove_entry(const char *path, const struct stat *info, int type,
                        struct FTW *at)
{
    (void)info;
    (void)type;
    (void)at;
    return remove(path) == 0 || errno == ENOENT ? 0 : -1;
}

void dev_drop(const struct dev *dev)
{
    static const char *const names[] = {"data", "state", "logs", "tokens"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        nftw(dev_path(dev, names[i], path), remove_entry, 16,
             FTW_DEPTH | FTW_PHYS);
    unlink(dev_path(dev, "lock", path));
}

void dev_release(struct dev *dev)
{
    close(dev->lock);
    dev->lock = -1;
}
