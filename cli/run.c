/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs another program to its end. It stays in our process group, so that
 * Ctrl-C reaches it too.
 */
#include "cli/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

static int start(const char *const *argv, int out, pid_t *ret)
{
    posix_spawn_file_actions_t to;
    posix_spawn_file_actions_init(&to);
    posix_spawn_file_actions_addopen(&to, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&to, out, 1);
    posix_spawn_file_actions_adddup2(&to, out, 2);
    int error = posix_spawnp(ret, argv[0], &to, NULL,
                             (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&to);
    return error;
}

/* Waits for the end; false: it had to be made. */
static bool await(pid_t pid, int most_ms, int *ret_status)
{
    struct pollfd over = {.fd = pidfd_open(pid, 0), .events = POLLIN};
    bool in_time = true;
    if (over.fd >= 0) {
        while (poll(&over, 1, most_ms) < 0 && errno == EINTR)
            ;
        in_time = over.revents != 0;
        close(over.fd);
    }
    if (!in_time)
        kill(pid, SIGKILL);
    while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
        ;
    return in_time;
}

enum run run(const char *const *argv, int out, int most_ms, char *why,
             size_t size)
{
    pid_t pid = 0;
    int status = 0;
    int error = start(argv, out, &pid);
    if (error != 0) {
        snprintf(why, size, "%s", strerror(error));
        return RUN_ABSENT;
    }
    if (!await(pid, most_ms, &status)) {
        snprintf(why, size, "it took more than %d s", most_ms / 1000);
        return RUN_SLOW;
    }
    if (status == 0)
        return RUN_WELL;
    if (WIFSIGNALED(status))
        snprintf(why, size, "it was ended by signal %d", WTERMSIG(status));
    else
        snprintf(why, size, "it ended with exit %d", WEXITSTATUS(status));
    return RUN_FAILED;
}
