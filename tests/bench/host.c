/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker is found beside this program, so that both are of one build.
 */
#include "tests/bench/host.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/app/log.h"

static void find_broker(char ret[PATH_MAX])
{
    char self[PATH_MAX] = "";
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
        log_fatal(1, "cannot find out where this program lies");
    int n = snprintf(ret, PATH_MAX, "%s/frameq-broker", dirname(self));
    if (n >= PATH_MAX || access(ret, X_OK) != 0)
        log_fatal(1, "no frameq-broker beside this program");
}

static void spawn_broker(struct host *host, int out)
{
    char broker[PATH_MAX];
    char http_flag[] = "--http=127.0.0.1:0", zmq_flag[] = "--zmq=127.0.0.1:0";
    char data_flag[sizeof host->folder + 8];
    char *argv[] = {broker, http_flag, zmq_flag, data_flag, NULL};
    posix_spawn_file_actions_t actions;
    find_broker(broker);
    snprintf(data_flag, sizeof data_flag, "--data=%s", host->folder);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null",
                                     O_WRONLY, 0);
    int error = posix_spawn(&host->pid, broker, &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0)
        log_fatal(1, "cannot start %s: %s", broker, strerror(error));
}

/* Reads the port of "name=host:port" in a ready line. */
static int port_of(const char *line, const char *name)
{
    const char *at = strstr(line, name);
    const char *colon = at == NULL ? NULL : strchr(at, ':');
    return colon == NULL ? 0 : (int)strtol(colon + 1, NULL, 10);
}

/* Reads the ready line. Returns false when the broker did not start. */
static bool read_ready(struct host *host, int in)
{
    char line[512] = "";
    FILE *file = fdopen(in, "r");
    if (file == NULL)
        return false;
    bool said = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    host->http_port = port_of(line, " http=");
    host->status_port = port_of(line, " status=");
    host->control_port = port_of(line, " control=");
    return said && host->http_port > 0 && host->status_port > 0 &&
           host->control_port > 0;
}

static int remove_entry(const char *path, const struct stat *stat, int type,
                        struct FTW *ftw)
{
    (void)stat;
    (void)type;
    (void)ftw;
    return remove(path);
}

void host_start(struct host *host, const char *below)
{
    int ends[2];
    snprintf(host->folder, sizeof host->folder, "%s/frameq-bench-XXXXXX",
             below);
    if (mkdtemp(host->folder) == NULL || pipe2(ends, O_CLOEXEC) != 0)
        log_fatal(1, "cannot make a folder below %s: %s", below,
                  strerror(errno));
    spawn_broker(host, ends[1]);
    close(ends[1]);
    if (read_ready(host, ends[0]))
        return;
    host_stop(host);
    log_fatal(1, "frameq-broker does not start");
}

/* Reads a small file of the broker's in /proc. */
static void read_proc(const struct host *host, const char *name, char *ret,
                      size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)host->pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, ret, size - 1);
    ret[n < 0 ? 0 : n] = '\0';
    close(fd);
}

/* Fields 14 and 15 of stat, counted from the name's end: the name, field 2,
 * may hold blanks. */
int64_t host_cpu_us(const struct host *host)
{
    char text[1024];
    read_proc(host, "stat", text, sizeof text);
    char *at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 14; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return 0;
    int64_t ticks = strtoll(at, &at, 10);
    ticks += strtoll(at, NULL, 10);
    return ticks * (1000000 / sysconf(_SC_CLK_TCK));
}

int64_t host_memory_kb(const struct host *host)
{
    char text[4096];
    read_proc(host, "status", text, sizeof text);
    const char *line = strstr(text, "VmRSS:");
    return line == NULL ? 0 : strtoll(line + strlen("VmRSS:"), NULL, 10);
}

void host_stop(struct host *host)
{
    kill(host->pid, SIGTERM);
    waitpid(host->pid, NULL, 0);
    nftw(host->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}
