/* SPDX-License-Identifier: Apache-2.0
 *
 * Walks /proc/N/stat. Processes may come and go meanwhile; what is gone is
 * left out.
 */
#include "node/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stat_line {
    pid_t pid, parent, session;
    uint64_t ticks;
};

/* The name of the program stands in brackets and may hold anything. */
static bool stat_parse(const char *line, struct stat_line *ret)
{
    const char *rest = strrchr(line, ')');
    unsigned long user = 0;
    unsigned long system = 0;
    if (!rest ||
        sscanf(rest + 1, " %*c %d %*d %d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
               &ret->parent, &ret->session, &user, &system) != 4)
        return false;
    ret->ticks = user + system;
    return true;
}

static bool stat_read(const char *name, struct stat_line *ret)
{
    char path[64];
    char line[1024];
    snprintf(path, sizeof path, "/proc/%.20s/stat", name);
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    const bool read = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    ret->pid = (pid_t)strtol(name, NULL, 10);
    return read && stat_parse(line, ret);
}

static bool stat_next(DIR *folder, struct stat_line *ret)
{
    const struct dirent *entry = NULL;
    while ((entry = readdir(folder)))
        if (isdigit((unsigned char)entry->d_name[0]) &&
            stat_read(entry->d_name, ret))
            return true;
    return false;
}

uint64_t proc_session_ticks(pid_t session)
{
    uint64_t ticks = 0;
    struct stat_line each;
    DIR *folder = opendir("/proc");
    while (folder && stat_next(folder, &each))
        if (each.session == session)
            ticks += each.ticks;
    if (folder)
        closedir(folder);
    return ticks;
}

void proc_children(void (*each)(void *ctx, pid_t pid), void *ctx)
{
    struct stat_line line;
    const pid_t self = getpid();
    DIR *folder = opendir("/proc");
    while (folder && stat_next(folder, &line))
        if (line.parent == self)
            each(ctx, line.pid);
    if (folder)
        closedir(folder);
}
