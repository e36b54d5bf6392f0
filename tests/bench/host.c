/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker is found beside this program, so that both are of one build.
 */
#include "tests/bench/host.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

static void start_broker(struct host *host, int out)
{
    char broker[PATH_MAX];
    char http_flag[] = "--http=127.0.0.1:0", zmq_flag[] = "--zmq=127.0.0.1:0";
    char data_flag[PATH_MAX + 8];
    char curve_flag[16];
    char *argv[] = {broker, http_flag, zmq_flag, curve_flag, data_flag, NULL};
    snprintf(curve_flag, sizeof curve_flag, "--curve=%s",
             host->keys ? "on" : "auto");
    find_broker(broker);
    snprintf(data_flag, sizeof data_flag, "--data=%s", host->child.folder);
    child_start(&host->child, argv, out);
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
    host->feed_port = port_of(line, " feed=");
    return said && host->http_port > 0 && host->status_port > 0 &&
           host->control_port > 0;
}

void host_start(struct host *host, const char *below, bool keys)
{
    int ends[2];
    host->keys = keys;
    child_init(&host->child, below);
    if (pipe2(ends, O_CLOEXEC) != 0)
        log_fatal(1, "cannot make a pipe: %s", strerror(errno));
    start_broker(host, ends[1]);
    close(ends[1]);
    if (read_ready(host, ends[0]))
        return;
    host_stop(host);
    log_fatal(1, "frameq-broker does not start");
}

void host_stop(struct host *host)
{
    child_done(&host->child);
}
