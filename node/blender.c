/* SPDX-License-Identifier: Apache-2.0
 *
 * fork and exec, not posix_spawn: only the child itself can ask to die with
 * its parent.
 */
#include "node/blender.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/limits.h"
#include "node/proc.h"
#include "node/sandbox.h"

enum {
    ARGS_MAX = SANDBOX_ARGS + 24,
    GRACE_MS = 300,    /* from SIGTERM to SIGKILL */
    READ_ON_MS = 1000, /* for output that children hold open */
    LOOK_MS = 1000,
    READ_PER_TURN = 64,  /* blocks, so that one Blender can't hold the loop */
    NO_DRIVER_EXIT = 61, /* of a script that raised */
};

struct ends {
    int out[2];  /* pipe: theirs to write, ours to read */
    int channel; /* theirs */
};

/* -- In the child ---------------------------------------------------------- */

static void limits_set(const struct blender_options *options)
{
    const struct rlimit none = {0, 0};
    const struct rlimit picture = {LIMIT_PICTURE, LIMIT_PICTURE};
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_FSIZE, &picture);
    setpriority(PRIO_PROCESS, 0, options->nice);
    /* When memory runs out it is the scene that goes, not the node. */
    const int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, "500", 3) < 0)
        (void)0;
    if (fd >= 0)
        close(fd);
}

static void signals_reset(void)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_IGN); /* a too large file shall fail, not kill */
}

static void descriptors_set(const struct ends *ends)
{
    const int null = open("/dev/null", O_RDONLY);
    dup2(null, STDIN_FILENO);
    dup2(ends->out[1], STDOUT_FILENO);
    dup2(ends->out[1], STDERR_FILENO);
    fcntl(ends->channel, F_SETFD, 0);
}

static void environment_set(const struct blender_options *options)
{
    char tmp[LIMIT_PATH * 4];
    snprintf(tmp, sizeof tmp, "%s/tmp", options->work);
    mkdir(tmp, 0700);
    setenv("TMPDIR", tmp, 1);
    if (options->trace && options->trace[0] != '\0')
        setenv("TRACEPARENT", options->trace, 1);
    else
        unsetenv("TRACEPARENT"); /* the node's own, if any, is another's */
    if (options->bytecode)
        setenv("PYTHONPYCACHEPREFIX", options->bytecode, 1);
    if (options->bytecode && options->compile)
        unsetenv("PYTHONDONTWRITEBYTECODE");
    else
        setenv("PYTHONDONTWRITEBYTECODE", "1", 1);
}

static size_t words_add(const char **argv, size_t n, const char *const *words)
{
    while (*words)
        argv[n++] = *words++;
    return n;
}

static void arguments_set(const struct blender_options *options, int channel,
                          const char **argv)
{
    static char threads[16];
    static char number[16];
    static char raised[16];
    snprintf(threads, sizeof threads, "%d", options->threads);
    snprintf(number, sizeof number, "%d", channel);
    snprintf(raised, sizeof raised, "%d", NO_DRIVER_EXIT);
    const char *const before[] = {options->path,
                                  "-b",
                                  "--factory-startup",
                                  "-noaudio",
                                  options->scripts ? "-y" : "-Y",
                                  "-t",
                                  threads,
                                  "--python-exit-code",
                                  raised,
                                  NULL};
    const char *const file[] = {options->blend, NULL};
    const char *const after[] = {"-P", options->driver, "--", number, NULL};
    const char *const writable[] = {
        options->work, options->compile ? options->bytecode : NULL, NULL};
    size_t n =
        options->sandbox ? sandbox_args(options->sandbox, writable, argv) : 0;
    n = words_add(argv, n, before);
    n = words_add(argv, n, file);
    n = words_add(argv, n, after);
    assert(n < ARGS_MAX);
    argv[n] = NULL;
}

static void child_run(const struct blender_options *options,
                      const struct ends *ends, pid_t node)
{
    const char *argv[ARGS_MAX];
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != node)
        _exit(BLENDER_NO_EXEC); /* it died before we asked to die with it */
    signals_reset();
    descriptors_set(ends);
    limits_set(options);
    environment_set(options);
    arguments_set(options, ends->channel, argv);
    execv(argv[0], (char *const *)(const void *)argv);
    dprintf(STDERR_FILENO, "Error: cannot start %s: %s\n", argv[0],
            strerror(errno));
    _exit(BLENDER_NO_EXEC);
}

/* -- In the node ----------------------------------------------------------- */

static void ends_close(struct ends *ends)
{
    for (int i = 0; i < 2; i++)
        if (ends->out[i] >= 0)
            close(ends->out[i]);
    if (ends->channel >= 0)
        close(ends->channel);
}

static bool ends_open(struct blender *blender, struct ends *ends)
{
    *ends = (struct ends){{-1, -1}, -1};
    if (pipe2(ends->out, O_CLOEXEC) < 0)
        return false;
    fcntl(ends->out[0], F_SETFL, O_NONBLOCK);
    ends->channel = channel_open(&blender->channel);
    return ends->channel >= 0;
}

bool blender_start(struct blender *blender,
                   const struct blender_options *options, struct output *output,
                   int64_t now_ms, char *why, size_t size)
{
    struct ends ends;
    *blender =
        (struct blender){.output = output, .out_fd = -1, .channel = {.fd = -1}};
    const pid_t node = getpid();
    const pid_t pid = ends_open(blender, &ends) ? fork() : -1;
    if (pid == 0)
        child_run(options, &ends, node);
    if (pid < 0) {
        snprintf(why, size, "cannot start a process: %s", strerror(errno));
        ends_close(&ends);
        channel_close(&blender->channel);
        return false;
    }
    blender->pid = pid;
    blender->out_fd = ends.out[0];
    ends.out[0] = -1;
    blender->heard_ms = now_ms;
    blender->looked_ms = now_ms;
    ends_close(&ends);
    return true;
}

void blender_read(struct blender *blender, int64_t now_ms)
{
    char block[16384];
    for (int i = 0; i < READ_PER_TURN && blender->out_fd >= 0; i++) {
        const ssize_t n = read(blender->out_fd, block, sizeof block);
        if (n > 0) {
            output_add(blender->output, block, (size_t)n);
            blender->heard_ms = now_ms;
        } else if (n == 0) {
            close(blender->out_fd);
            blender->out_fd = -1;
        } else if (errno != EINTR) {
            return;
        }
    }
}

void blender_look(struct blender *blender, int64_t now_ms)
{
    if (blender->reaped || now_ms - blender->looked_ms < LOOK_MS)
        return;
    const uint64_t ticks = proc_session_ticks(blender->pid);
    if (ticks > blender->cpu_ticks)
        blender->heard_ms = now_ms;
    blender->cpu_ticks = ticks;
    blender->looked_ms = now_ms;
}

void blender_stop(struct blender *blender, int64_t now_ms)
{
    if (blender->pid == 0 || blender->stopping)
        return;
    blender->stopping = true;
    blender->kill_ms = now_ms + GRACE_MS;
    kill(-blender->pid, SIGTERM);
}

int64_t blender_tick(struct blender *blender, int64_t now_ms)
{
    if (blender->give_up_ms && now_ms >= blender->give_up_ms &&
        blender->out_fd >= 0) {
        close(blender->out_fd);
        blender->out_fd = -1;
    }
    if (blender->reaped)
        return blender->out_fd >= 0 ? blender->give_up_ms : 0;
    if (blender->kill_ms && now_ms >= blender->kill_ms) {
        kill(-blender->pid, SIGKILL);
        kill(blender->pid, SIGKILL); /* before it made its group */
        blender->kill_ms = now_ms + GRACE_MS;
    }
    return blender->kill_ms;
}

void blender_reaped(struct blender *blender, int status, int64_t now_ms)
{
    blender->reaped = true;
    blender->status = status;
    blender->give_up_ms = now_ms + READ_ON_MS;
}

bool blender_is_gone(const struct blender *blender)
{
    return blender->pid == 0 || (blender->reaped && blender->out_fd < 0);
}

void blender_done(struct blender *blender)
{
    if (blender->pid && !blender->reaped)
        kill(-blender->pid, SIGKILL);
    if (blender->out_fd >= 0)
        close(blender->out_fd);
    channel_close(&blender->channel);
    *blender = (struct blender){.out_fd = -1, .channel = {.fd = -1}};
}
