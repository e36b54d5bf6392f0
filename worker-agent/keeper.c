/* SPDX-License-Identifier: Apache-2.0
 *
 * The child leads a process group of its own and is told to end when the
 * thread that started it does: this one, the only one of ours that starts
 * anything. Its ready line goes nowhere, its log where ours goes.
 */
#include "worker-agent/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/app/log.h"
#include "common/mem.h"

#define AGAIN_MIN_MS 200
#define AGAIN_MAX_MS 10000
#define WELL_MS      10000 /* lived so long: the next death is no repetition */

struct keeper {
    char *listen;
    char program[4096]; /* beside our own; a bare name is looked for in PATH */
    pid_t pid;          /* 0: none */
    int64_t started_ms, again_ms, backoff_ms;
};

static void find_program(char *ret, size_t size)
{
    static const char name[] = "frameq-node";
    char beside[4096];
    ssize_t n = readlink("/proc/self/exe", beside, sizeof beside - sizeof name);
    beside[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(beside, '/');
    if (slash != NULL)
        memcpy(slash + 1, name, sizeof name);
    bool there = slash != NULL && access(beside, X_OK) == 0;
    snprintf(ret, size, "%s", there ? beside : name);
}

struct keeper *keeper_open(const char *listen, const char *scenes)
{
    struct keeper *keeper = mem_new(sizeof *keeper);
    keeper->listen = mem_text(listen);
    setenv("FRAMEQ_BLEND_ROOT", scenes, 0); /* unless it is set: for the node */
    keeper->backoff_ms = AGAIN_MIN_MS;
    find_program(keeper->program, sizeof keeper->program);
    return keeper;
}

void keeper_close(struct keeper **keeper)
{
    if (*keeper == NULL)
        return;
    if ((*keeper)->pid > 0) {
        kill(-(*keeper)->pid, SIGKILL);
        waitpid((*keeper)->pid, NULL, 0);
    }
    mem_free((*keeper)->listen);
    mem_free(*keeper);
    *keeper = NULL;
}

/* In the child, between fork and exec: nothing that takes a lock. */
static void become_node(const struct keeper *keeper, pid_t parent)
{
    sigset_t none;
    int null = open("/dev/null", O_RDWR);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    close_range(3, ~0U, 0);
    execlp(keeper->program, "frameq-node", "--listen", keeper->listen,
           (char *)NULL);
    _exit(127);
}

static void start(struct keeper *keeper, int64_t now_ms)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid == 0)
        become_node(keeper, parent);
    if (pid < 0) {
        log_warn("node_not_started", "reason=%s", log_quoted(strerror(errno)));
        return;
    }
    setpgid(pid, pid);
    keeper->pid = pid;
    keeper->started_ms = now_ms;
    log_info("node_started", "pid=%d listen=%s program=%s", (int)pid,
             keeper->listen, log_quoted(keeper->program));
}

void keeper_want(struct keeper *keeper, int64_t now_ms)
{
    if (keeper->pid == 0 && now_ms >= keeper->again_ms)
        start(keeper, now_ms);
}

void keeper_reap(struct keeper *keeper, int64_t now_ms)
{
    int status;
    if (keeper->pid == 0 || waitpid(keeper->pid, &status, WNOHANG) <= 0)
        return;
    bool missing = WIFEXITED(status) && WEXITSTATUS(status) == 127;
    log_warn("node_ended", "pid=%d status=%d reason=%s", (int)keeper->pid,
             status, log_quoted(missing ? "cannot run frameq-node" : ""));
    if (now_ms - keeper->started_ms >= WELL_MS)
        keeper->backoff_ms = AGAIN_MIN_MS;
    keeper->pid = 0;
    keeper->again_ms = now_ms + keeper->backoff_ms;
    keeper->backoff_ms *= 2;
    if (keeper->backoff_ms > AGAIN_MAX_MS)
        keeper->backoff_ms = AGAIN_MAX_MS;
}

void keeper_stop(struct keeper *keeper)
{
    if (keeper->pid > 0)
        kill(keeper->pid, SIGTERM);
}

bool keeper_runs(const struct keeper *keeper)
{
    return keeper->pid > 0;
}
