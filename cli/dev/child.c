/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that run beside this one and end with it.
 */
#include "cli/dev/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utlist.h>

#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/mem.h"

#define LOG_TAIL 1024 /* bytes of a dead child's log that are shown */

struct children {
    struct child *first;
    int signals;  /* signalfd */
    sigset_t old; /* the mask children run with */
};

struct children *children_open(void)
{
    sigset_t set;
    struct children *children = mem_new(sizeof *children);
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, &children->old);
    children->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (children->signals < 0)
        log_fatal(1, "signalfd: %s", strerror(errno));
    return children;
}

struct child *children_add(struct children *children, const char *name,
                           const char *log)
{
    struct child *child = mem_new(sizeof *child);
    snprintf(child->name, sizeof child->name, "%s", name);
    child->log = mem_text(log);
    child->out = -1;
    LL_APPEND(children->first, child);
    return child;
}

void children_close(struct children **children)
{
    if (*children == NULL)
        return;
    struct child *child, *next;
    LL_FOREACH_SAFE ((*children)->first, child, next) {
        if (child->out >= 0)
            close(child->out);
        mem_free(child->log);
        mem_free(child);
    }
    close((*children)->signals);
    mem_free(*children);
    *children = NULL;
}

/* In the child, between fork and exec: only what is safe there. */
__attribute__((noreturn)) static void become(const struct children *children,
                                             char *const *argv, int out,
                                             int log, pid_t parent)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    int null = open("/dev/null", O_RDONLY);
    if (getppid() != parent || null < 0 || dup2(null, STDIN_FILENO) < 0 ||
        dup2(out, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
        _exit(127);
    close(null);
    sigprocmask(SIG_SETMASK, &children->old, NULL);
    execvp(argv[0], argv);
    _exit(127);
}

bool child_start(struct children *children, struct child *child,
                 char *const *argv)
{
    int out[2] = {-1, -1};
    pid_t parent = getpid();
    int log = open(child->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (log >= 0 && pipe2(out, O_CLOEXEC) == 0)
        child->pid = fork();
    else
        child->pid = -1;
    if (child->pid == 0)
        become(children, argv, out[1], log, parent);
    if (child->pid < 0) {
        fprintf(stderr, "frameq: cannot start %s: %s\n", argv[0],
                strerror(errno));
        child->pid = 0;
    }
    bool started = child->pid > 0;
    if (started)
        child->out = out[0];
    else if (out[0] >= 0)
        close(out[0]);
    if (out[1] >= 0)
        close(out[1]);
    if (log >= 0)
        close(log);
    return started;
}

void children_open_page(const struct children *children, const char *url)
{
    if (fork() != 0)
        return;
    setsid();
    sigprocmask(SIG_SETMASK, &children->old, NULL);
    int null = open("/dev/null", O_RDWR);
    if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
        dup2(null, STDOUT_FILENO) >= 0 && dup2(null, STDERR_FILENO) >= 0)
        execlp("xdg-open", "xdg-open", url, (char *)NULL);
    _exit(127);
}

static struct child *child_of(const struct children *children, pid_t pid)
{
    struct child *child;
    LL_FOREACH (children->first, child)
        if (child->pid == pid)
            return child;
    return NULL;
}

/* Takes one ended child; NULL: none has. What it left behind in its group ends
 * while its own number is not free yet, so that nobody else is hit. */
static struct child *reap(struct children *children)
{
    siginfo_t info = {0};
    for (;;) {
        info.si_pid = 0;
        int rc = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);
        if (rc != 0 || info.si_pid == 0)
            return NULL;
        struct child *child = child_of(children, info.si_pid);
        if (child != NULL)
            kill(-info.si_pid, SIGKILL);
        int status = 0;
        waitpid(info.si_pid, &status, 0);
        if (child == NULL)
            continue; /* the helper that opened the page */
        child->pid = 0;
        child->status = status;
        return child;
    }
}

/* Takes the pending signals; true: one of them says end. */
static bool signals_take(struct children *children)
{
    struct signalfd_siginfo info;
    bool stop = false;
    while (read(children->signals, &info, sizeof info) == sizeof info)
        stop = stop || info.ssi_signo != SIGCHLD;
    return stop;
}

/* Reads on at a ready line; true: it is whole. */
static bool ready_read(struct child *child)
{
    size_t room = sizeof child->ready - 1 - child->ready_len;
    ssize_t n = read(child->out, child->ready + child->ready_len, room);
    if (n > 0)
        child->ready_len += (size_t)n;
    child->ready[child->ready_len] = '\0';
    if (n <= 0) { /* it is about to end; SIGCHLD says so */
        close(child->out);
        child->out = -1;
    }
    return strchr(child->ready, '\n') != NULL;
}

static int wait_left_ms(int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms - clock_now_ms();
    if (deadline_ms < 0)
        return -1;
    return left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms;
}

enum child_news child_wait(struct children *children, struct child *of,
                           int64_t deadline_ms, struct child **ret)
{
    for (;;) {
        struct pollfd fds[2] = {
            {.fd = children->signals, .events = POLLIN},
            {.fd = of == NULL ? -1 : of->out, .events = POLLIN},
        };
        if ((*ret = reap(children)) != NULL)
            return CHILD_OVER;
        int left_ms = wait_left_ms(deadline_ms);
        if (poll(fds, 2, left_ms) == 0 && wait_left_ms(deadline_ms) == 0)
            return CHILD_TIME;
        if ((fds[0].revents & POLLIN) && signals_take(children))
            return CHILD_STOP;
        if (of != NULL && fds[1].revents != 0 && ready_read(of))
            return CHILD_READY_LINE;
    }
}

const char *child_address(const struct child *child, const char *name,
                          char *ret, size_t size)
{
    char key[CHILD_NAME];
    snprintf(key, sizeof key, " %s=", name);
    const char *at = strstr(child->ready, key);
    at = at != NULL ? at + strlen(key) : strchr(child->ready, '=');
    if (at != NULL && *at == '=')
        at++;
    snprintf(ret, size, "%.*s", at == NULL ? 0 : (int)strcspn(at, " \r\n"),
             at == NULL ? "" : at);
    return ret;
}

/* The last whole lines of a log, LOG_TAIL bytes of them at most. */
static void log_tell(const char *path)
{
    char tail[LOG_TAIL + 1];
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return;
    if (fseek(file, -LOG_TAIL, SEEK_END) != 0)
        rewind(file);
    bool cut = ftell(file) > 0;
    size_t n = fread(tail, 1, LOG_TAIL, file);
    tail[n] = '\0';
    const char *first = cut ? strchr(tail, '\n') : NULL;
    fputs(first != NULL ? first + 1 : tail, stderr);
    fclose(file);
}

void child_tell(const struct child *child)
{
    if (WIFSIGNALED(child->status))
        fprintf(stderr, "frameq: %s was ended by signal %d", child->name,
                WTERMSIG(child->status));
    else
        fprintf(stderr, "frameq: %s ended by itself with exit %d", child->name,
                WEXITSTATUS(child->status));
    fprintf(stderr, "; its log is %s\n", child->log);
    log_tell(child->log);
}

static bool is_of(const struct child *child, const char *prefix)
{
    return child->pid > 0 && strncmp(child->name, prefix, strlen(prefix)) == 0;
}

static size_t signal_all(struct children *children, const char *prefix,
                         int signal)
{
    size_t n = 0;
    const struct child *child;
    LL_FOREACH (children->first, child) {
        if (!is_of(child, prefix))
            continue;
        /* SIGTERM is for the program, which ends its own children well. */
        kill(signal == SIGKILL ? -child->pid : child->pid, signal);
        n++;
    }
    return n;
}

void children_end(struct children *children, const char *prefix,
                  int64_t grace_ms)
{
    struct child *over;
    int64_t deadline_ms = clock_now_ms() + grace_ms;
    size_t left = signal_all(children, prefix, SIGTERM);
    while (left > 0) {
        enum child_news news = child_wait(children, NULL, deadline_ms, &over);
        if (news == CHILD_TIME || news == CHILD_STOP) {
            deadline_ms = -1;
            signal_all(children, prefix, SIGKILL);
        }
        left = signal_all(children, prefix, 0);
    }
}
