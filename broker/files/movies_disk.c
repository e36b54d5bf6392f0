/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures are linked by their paths, never copied.
 */
#include "broker/files/movies_disk.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "broker/files/ffmpeg.h"
#include "common/app/conf.h"
#include "common/limits.h"

#define WORK "work"

static void path_in(char ret[PATH_MAX], const char *dir, const char *name)
{
    snprintf(ret, PATH_MAX, "%.3000s/%.1000s", dir, name);
}

static bool is_movie(const char *name)
{
    return *name != '.' && strcmp(name, WORK) != 0;
}

void movie_work_drop(const char *dir)
{
    char work[PATH_MAX], path[PATH_MAX];
    const struct dirent *entry;
    path_in(work, dir, WORK);
    DIR *open = opendir(work);
    while (open != NULL && (entry = readdir(open)) != NULL) {
        path_in(path, work, entry->d_name);
        if (entry->d_type != DT_DIR)
            unlink(path);
    }
    if (open != NULL)
        closedir(open);
    rmdir(work);
}

bool movie_work_make(const char *dir)
{
    char work[PATH_MAX];
    movie_work_drop(dir);
    path_in(work, dir, WORK);
    return conf_make_dir(work);
}

bool movie_link(const char *dir, int32_t n, const char *suffix, int fd)
{
    char held[64], to[PATH_MAX], name[PATH_MAX];
    snprintf(held, sizeof held, "/proc/self/fd/%d", fd);
    ssize_t len = readlink(held, to, sizeof to - 1);
    if (len < 0)
        return false;
    to[len] = '\0';
    snprintf(name, sizeof name, "%.3000s/" WORK "/%07d%s", dir, n, suffix);
    return symlink(to, name) == 0;
}

/* Calls go(ctx, name) for each movie, and removes those it says true of. */
static bool walk(const char *dir, bool (*go)(const void *ctx, const char *name),
                 const void *ctx)
{
    char path[PATH_MAX];
    const struct dirent *entry;
    bool left = false;
    DIR *open = opendir(dir);
    while (open != NULL && (entry = readdir(open)) != NULL) {
        if (!is_movie(entry->d_name))
            continue;
        path_in(path, dir, entry->d_name);
        if (!go(ctx, entry->d_name) || unlink(path) != 0)
            left = true;
    }
    if (open != NULL)
        closedir(open);
    return left;
}

struct choice {
    const char *prefix, *keep;
};

static bool is_chosen(const void *ctx, const char *name)
{
    const struct choice *choice = ctx;
    return strncmp(name, choice->prefix, strlen(choice->prefix)) == 0 &&
           (choice->keep == NULL || strcmp(name, choice->keep) != 0);
}

bool movie_drop(const char *dir, const char *prefix, const char *keep)
{
    const struct choice choice = {prefix, keep};
    return walk(dir, is_chosen, &choice);
}

struct asking {
    bool (*lives)(void *ctx, const char *job);
    void *ctx;
};

static bool is_orphan(const void *ctx, const char *name)
{
    char job[LIMIT_ID + 1];
    const struct asking *asking = ctx;
    snprintf(job, sizeof job, "%.*s", (int)strcspn(name, "."), name);
    return !asking->lives(asking->ctx, job);
}

bool movie_sweep(const char *dir, bool (*lives)(void *ctx, const char *job),
                 void *ctx)
{
    const struct asking asking = {lives, ctx};
    return walk(dir, is_orphan, &asking);
}

bool movie_has_room(const char *dir)
{
    struct statvfs fs;
    return statvfs(dir, &fs) != 0 ||
           (uint64_t)fs.f_bavail * fs.f_frsize >= 2 * LIMIT_DISK_LOW;
}
