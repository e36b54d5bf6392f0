/* SPDX-License-Identifier: Apache-2.0
 *
 * PATH, read once per call; an empty part of it is not the current folder.
 */
#include "node/which.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/mem.h"

static bool runs(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           access(path, X_OK) == 0;
}

char *which_find(const char *name)
{
    if (strchr(name, '/'))
        return runs(name) ? mem_text(name) : NULL;
    const char *path = getenv("PATH");
    for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
        char file[PATH_MAX];
        const size_t len = strcspn(at, ":");
        const int n =
            snprintf(file, sizeof file, "%.*s/%s", (int)len, at, name);
        if (len > 0 && n > 0 && (size_t)n < sizeof file && runs(file))
            return mem_text(file);
        at += len + (at[len] == ':');
    }
    return NULL;
}
