/* SPDX-License-Identifier: Apache-2.0
 *
 * Written beside its place, synced, renamed without replacing, and the folder
 * synced.
 */
#include "cli/bring/place.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "common/app/log.h"

/* A signal handler needs it. */
static char part[PATH_MAX];
static const char *place;

static void interrupted(int signal)
{
    (void)signal;
    unlink(part);
    _exit(CLI_INTERRUPTED);
}

__attribute__((noreturn)) static void give_up(int error)
{
    place_drop();
    log_fatal(CLI_FAILED, "%s: %s", place, strerror(error));
}

int place_open(const char *path)
{
    struct sigaction action = {.sa_handler = interrupted};
    place = path;
    if (access(path, F_OK) == 0)
        give_up(EEXIST);
    int n = snprintf(part, sizeof part, "%s.part-XXXXXX", path);
    int fd = n < (int)sizeof part ? mkstemp(part) : -1;
    if (fd < 0) {
        part[0] = '\0';
        give_up(n < (int)sizeof part ? errno : ENAMETOOLONG);
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return fd;
}

/* By a second name where the file system cannot rename so. */
static bool take_name(void)
{
    if (renameat2(AT_FDCWD, part, AT_FDCWD, place, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    return link(part, place) == 0 && unlink(part) == 0;
}

static void sync_folder(void)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(place, '/');
    int len = slash == NULL ? 1 : (int)(slash - place) + 1;
    snprintf(dir, sizeof dir, "%.*s", len, slash == NULL ? "." : place);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

void place_keep(int fd)
{
    if (fsync(fd) != 0 || close(fd) != 0 || !take_name())
        give_up(errno);
    part[0] = '\0';
    sync_folder();
}

void place_drop(void)
{
    if (part[0] != '\0')
        unlink(part);
    part[0] = '\0';
}
