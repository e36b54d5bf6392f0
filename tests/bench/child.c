/* SPDX-License-Identifier: Apache-2.0
 *
 * Between fork and exec stand only calls that are safe there.
 */
#include "tests/bench/child.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/app/log.h"
#include "tests/bench/figures.h"

void child_init(struct child *child, const char *below)
{
    *child = (struct child){.pid = 0};
    int n = snprintf(child->folder, sizeof child->folder,
                     "%s/frameq-bench-XXXXXX", below);
    if (n >= PATH_MAX || mkdtemp(child->folder) == NULL)
        log_fatal(1, "cannot make a folder below %s: %s", below,
                  strerror(errno));
}

static void run(char *const *argv, int out)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(nowhere, STDIN_FILENO);
    dup2(out < 0 ? nowhere : out, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    execv(argv[0], argv);
    _exit(127);
}

void child_start(struct child *child, char *const *argv, int out)
{
    child->pid = fork();
    if (child->pid < 0)
        log_fatal(1, "cannot start %s: %s", argv[0], strerror(errno));
    if (child->pid == 0)
        run(argv, out);
}

int64_t child_cpu_us(const struct child *child)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(child->pid, &clock) != 0 ||
        clock_gettime(clock, &used) != 0)
        return 0;
    return (int64_t)used.tv_sec * SECOND_US + used.tv_nsec / 1000;
}

int64_t child_memory_kb(const struct child *child)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%d/status", (int)child->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    text[n < 0 ? 0 : n] = '\0';
    close(fd);
    const char *line = strstr(text, "VmRSS:");
    return line == NULL ? 0 : strtoll(line + strlen("VmRSS:"), NULL, 10);
}

static int remove_entry(const char *path, const struct stat *stat, int type,
                        struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

void child_done(struct child *child)
{
    if (child->pid > 0) {
        kill(child->pid, SIGTERM);
        waitpid(child->pid, NULL, 0);
    }
    nftw(child->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    *child = (struct child){.pid = 0};
}
