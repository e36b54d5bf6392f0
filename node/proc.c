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
    uint64_t pages; /* resident */
};

/* Skips n fields and reads the next as a number. */
static uint64_t field_read(const char **at, int skip)
{
    for (; skip > 0; skip--) {
        *at += strspn(*at, " ");
        *at += strcspn(*at, " ");
    }
    char *end = NULL;
    const uint64_t value = strtoull(*at, &end, 10);
    *at = end;
    return value;
}

/* "12 (name) S parent group session ... user system ... pages": the name may
 * hold anything. Fields: proc(5). */
static bool stat_parse(const char *line, struct stat_line *ret)
{
    const char *at = strrchr(line, ')');
    if (!at)
        return false;
    at++;
    ret->parent = (pid_t)field_read(&at, 1);
    ret->session = (pid_t)field_read(&at, 1);
    ret->ticks = field_read(&at, 7);
    ret->ticks += field_read(&at, 0);
    ret->pages = field_read(&at, 8);
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

/* Of all processes of a session together. */
static struct stat_line session_sum(pid_t session)
{
    struct stat_line sum = {0}, each;
    DIR *folder = opendir("/proc");
    while (folder && stat_next(folder, &each)) {
        if (each.session != session)
            continue;
        sum.ticks += each.ticks;
        sum.pages += each.pages;
    }
    if (folder)
        closedir(folder);
    return sum;
}

uint64_t proc_session_ticks(pid_t session)
{
    return session_sum(session).ticks;
}

uint64_t proc_session_memory(pid_t session)
{
    return session_sum(session).pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

bool proc_memory(struct proc_memory *ret)
{
    char line[128];
    *ret = (struct proc_memory){0};
    FILE *file = fopen("/proc/meminfo", "re");
    while (file && fgets(line, sizeof line, file)) {
        const char *value = strchr(line, ':');
        const uint64_t bytes = value ? strtoull(value + 1, NULL, 10) * 1024 : 0;
        if (strncmp(line, "MemTotal:", 9) == 0)
            ret->total = bytes;
        else if (strncmp(line, "MemAvailable:", 13) == 0)
            ret->available = bytes;
    }
    if (file)
        fclose(file);
    return ret->total > 0 && ret->available > 0;
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
