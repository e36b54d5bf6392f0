/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs run what they find in here (a scene, Blender's compiled scripts),
 * so a folder that somebody else could have put there is not used.
 */
#include "common/app/cache_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/app/conf.h"

static int path_make(const char *name, char *ret, size_t size)
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    const char *slash = *name ? "/" : "";
    if (cache && cache[0] == '/')
        return snprintf(ret, size, "%s/frameq%s%s", cache, slash, name);
    if (home && home[0] == '/')
        return snprintf(ret, size, "%s/.cache/frameq%s%s", home, slash, name);
    return snprintf(ret, size, "/tmp/frameq-%u%s%s", (unsigned)getuid(), slash,
                    name);
}

static bool is_ours(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return false;
    errno = EPERM;
    return st.st_uid == geteuid() && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

bool cache_dir_open(const char *name, char *ret, size_t size)
{
    const int n = path_make(name, ret, size);
    if (n < 0 || (size_t)n >= size) {
        errno = ENAMETOOLONG;
        return false;
    }
    return conf_make_dir(ret) && is_ours(ret);
}
