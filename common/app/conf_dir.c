/* SPDX-License-Identifier: Apache-2.0
 *
 * Folders that settings name.
 */
#include "common/app/conf.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "common/mem.h"

static bool make_one(const char *path)
{
    struct stat info;
    if (mkdir(path, 0777) == 0)
        return true;
    int error = errno; /* EROFS and EACCES come before EEXIST at times */
    if (stat(path, &info) == 0) {
        if (S_ISDIR(info.st_mode))
            return true;
        error = ENOTDIR;
    }
    errno = error;
    return false;
}

static bool make_parents(char *path)
{
    bool ok = true;
    for (char *at = path + strspn(path, "/"); ok && *at != '\0';) {
        at += strcspn(at, "/");
        char slash = *at;
        *at = '\0';
        ok = make_one(path);
        *at = slash;
        at += strspn(at, "/");
    }
    return ok;
}

bool conf_make_dir(const char *path)
{
    if (*path == '\0') {
        errno = ENOENT;
        return false;
    }
    char *copy = mem_text(path);
    bool ok = make_parents(copy);
    int error = errno;
    mem_free(copy);
    errno = error;
    return ok;
}
