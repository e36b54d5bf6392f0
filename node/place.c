/* SPDX-License-Identifier: Apache-2.0
 *
 * link, where the file system has it, because it never replaces; else
 * renameat2 with RENAME_NOREPLACE; on those that have neither, a look and a
 * rename.
 */
#include "node/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/app/conf.h"

static bool path_sync(const char *path, int flags)
{
    const int fd = open(path, flags | O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    const bool synced = fsync(fd) == 0 || errno == EINVAL;
    const int reason = errno;
    close(fd);
    errno = reason;
    return synced;
}

static bool folder_of(const char *path, char ret[PATH_MAX])
{
    const int n = snprintf(ret, PATH_MAX, "%s", path);
    char *slash = strrchr(ret, '/');
    if (n < 0 || n >= PATH_MAX || !slash) {
        errno = ENAMETOOLONG;
        return false;
    }
    *slash = '\0';
    return true;
}

/* Gives from the name to if that is free. */
static bool name_take(const char *from, const char *to)
{
    if (link(from, to) == 0) {
        unlink(from);
        return true;
    }
    if (errno == EEXIST)
        return false;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    if (faccessat(AT_FDCWD, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return false;
    }
    return rename(from, to) == 0;
}

/* Whether what has the name already is as good as ours. */
static bool name_is_kept(const char *to, struct picture *picture)
{
    struct picture other;
    char why[256];
    if (!picture_prove(to, false, &other, why, sizeof why))
        return false;
    if (other.width != picture->width || other.height != picture->height)
        return false;
    picture->bytes = other.bytes;
    memcpy(picture->sha256, other.sha256, sizeof picture->sha256);
    return true;
}

static bool name_give(const char *from, const char *to, bool replace,
                      struct picture *picture, bool *ret_kept)
{
    if (replace)
        return rename(from, to) == 0;
    if (name_take(from, to))
        return true;
    if (errno != EEXIST)
        return false;
    *ret_kept = name_is_kept(to, picture);
    return *ret_kept || rename(from, to) == 0;
}

int place_file(const char *from, const char *to, bool replace,
               struct picture *picture, bool *ret_kept)
{
    char folder[PATH_MAX];
    *ret_kept = false;
    const bool placed = path_sync(from, 0) && folder_of(to, folder) &&
                        conf_make_dir(folder) &&
                        name_give(from, to, replace, picture, ret_kept) &&
                        path_sync(folder, O_DIRECTORY);
    return placed ? 0 : errno;
}
