/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that belong to this program, found from where its own file lies.
 */
#include "cli/beside.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"

static char *self_path(char ret[PATH_MAX])
{
    ssize_t n = readlink("/proc/self/exe", ret, PATH_MAX - 1);
    ret[n > 0 ? n : 0] = '\0';
    return ret;
}

char *beside_path(const char *name, char *ret, size_t size)
{
    char self[PATH_MAX];
    char *slash = strrchr(self_path(self), '/');
    int dir = slash == NULL ? 0 : (int)(slash + 1 - self);
    snprintf(ret, size, "%.*s%s", dir, self, name);
    return ret;
}

char *beside_program(const char *name, char *ret, size_t size)
{
    beside_path(name, ret, size);
    if (access(ret, X_OK) != 0)
        snprintf(ret, size, "%s", name);
    return ret;
}

/* Whether the first `frameq` in PATH is this very file. */
static bool path_leads_to(const char *self)
{
    char file[PATH_MAX], real[PATH_MAX];
    const char *path = getenv("PATH");
    char *dirs = mem_text(path == NULL ? "" : path), *rest = dirs, *dir;
    bool same = false;
    while ((dir = strsep(&rest, ":")) != NULL) {
        snprintf(file, sizeof file, "%s/frameq", dir);
        if (access(file, X_OK) == 0) {
            same = realpath(file, real) != NULL && strcmp(real, self) == 0;
            break;
        }
    }
    mem_free(dirs);
    return same;
}

char *beside_self(char *ret, size_t size)
{
    char self[PATH_MAX];
    self_path(self);
    if (path_leads_to(self))
        snprintf(ret, size, "frameq");
    else if (strpbrk(self, " '\"\\$`&;()*?") == NULL)
        snprintf(ret, size, "%s", self);
    else
        snprintf(ret, size, "\"%s\"", self);
    return ret;
}
