/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v1/backup: a copy of the ledger as it is now, whole and sound, while
 * everything goes on. The copy is made beside the ledger, sent, and gone as
 * soon as it is open: nothing of it outlives the answer. One at a time.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"

#define COPY      "backup.tmp"
#define COPY_TYPE "application/vnd.sqlite3"

static void copy_path(const struct http *http, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/" COPY, broker_facts(http->broker)->data_dir);
}

static void send_copy(struct call *call, const char *path)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &file) == 0) {
        reply_file(call, COPY_TYPE, fd, (uint64_t)file.st_size, NULL);
        return;
    }
    reply_problem(call, RC_INTERNAL, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
}

/* Who asked may have left: then the copy goes unseen. */
static void copy_done(void *ctx, const char *reason)
{
    struct http *http = ctx;
    struct call *call = http->backup_call;
    char path[PATH_MAX];
    copy_path(http, path);
    http->backup = false;
    http->backup_call = NULL;
    if (call) {
        (void)call_unpark(call);
        if (reason)
            reply_problem(call, RC_NO_SPACE, "no copy was made: %s", reason);
        else
            send_copy(call, path);
    }
    unlink(path);
}

static void leave_copy(struct call *call)
{
    call->http->backup_call = NULL;
}

static void get_backup(struct call *call)
{
    struct http *http = call->http;
    char path[PATH_MAX];
    if (http->backup) {
        reply_problem(call, RC_BUSY, "another backup is under way");
        return;
    }
    copy_path(http, path);
    unlink(path); /* of a broker that was killed */
    http->backup = true;
    http->backup_call = call;
    call_park(call, NULL, leave_copy, NULL);
    store_backup(broker_store(http->broker), path, copy_done, http);
}

const struct route routes_backup[] = {
    {"GET", "/v1/backup", get_backup, TOKEN_ADMIN},
    {0},
};
