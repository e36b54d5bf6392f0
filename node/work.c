/* SPDX-License-Identifier: Apache-2.0
 *
 * A folder is held by an flock on the file `lock` in it. The kernel gives it
 * up when its owner dies, however that happens.
 */
#include "node/work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

enum { TRIES = 4, DEPTH = 16 };

static int entry_remove(const char *path, const struct stat *st, int kind,
                        struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    remove(path); /* what stays is tried again at the next start */
    return 0;
}

void work_remove(const char *path)
{
    nftw(path, entry_remove, DEPTH, FTW_DEPTH | FTW_PHYS);
}

/* On a file system without locks an owner goes on without one, and nobody
 * sweeps. */
static int lock_take(const char *folder, int flags)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/lock", folder);
    const int fd = open(path, flags | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
        return fd;
    const int reason = errno;
    if (reason != EWOULDBLOCK && (flags & O_CREAT))
        return fd;
    close(fd);
    errno = reason;
    return -1;
}

/* Whether the lock we hold is still the one in the folder: a sweeper may have
 * removed both before we took it. */
static bool lock_is_there(const char *folder, int fd)
{
    char path[PATH_MAX];
    struct stat held;
    struct stat there;
    snprintf(path, sizeof path, "%s/lock", folder);
    return fstat(fd, &held) == 0 && stat(path, &there) == 0 &&
           held.st_ino == there.st_ino && held.st_dev == there.st_dev;
}

/* Empties and removes a folder whose owner is dead. One without a lock is
 * about to be claimed, or its owner died right then: it is empty, and whoever
 * still wants it makes it again. */
static bool folder_sweep(const char *path)
{
    const int fd = lock_take(path, 0);
    if (fd < 0)
        return errno == ENOENT && rmdir(path) == 0;
    work_remove(path);
    close(fd);
    return true;
}

static bool folder_claim(const char *path, struct work *ret)
{
    for (int i = 0; i < TRIES; i++) {
        if (mkdir(path, 0700) < 0) {
            if (errno != EEXIST)
                return false;
            if (folder_sweep(path))
                continue;
            errno = EEXIST;
            return false;
        }
        const int fd = lock_take(path, O_CREAT);
        if (fd >= 0 && lock_is_there(path, fd)) {
            *ret = (struct work){mem_text(path), fd};
            return true;
        }
        if (fd >= 0)
            close(fd);
    }
    return false;
}

bool work_open(const char *root, const char *name, int64_t spare,
               struct work *ret)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, name);
    if (folder_claim(path, ret))
        return true;
    if (errno != EEXIST)
        return false;
    snprintf(path, sizeof path, "%s/%s.%lld", root, name, (long long)spare);
    return folder_claim(path, ret);
}

void work_close(struct work *work)
{
    if (work->path)
        work_remove(work->path);
    if (work->lock_fd >= 0)
        close(work->lock_fd);
    mem_free(work->path);
    *work = (struct work){NULL, -1};
}

int work_sweep(const char *root)
{
    int swept = 0;
    const struct dirent *entry = NULL;
    DIR *folder = opendir(root);
    while (folder && (entry = readdir(folder))) {
        char path[PATH_MAX];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", root, entry->d_name);
        if (entry->d_name[0] != '.' && lstat(path, &st) == 0 &&
            S_ISDIR(st.st_mode) && folder_sweep(path))
            swept++;
    }
    if (folder)
        closedir(folder);
    return swept;
}
