/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq backup: a copy of the broker's ledger in a file here. The file is
 * there when it is whole and on disk, or not at all, and replaces none.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/verbs.h"
#include "common/app/log.h"

#define MB 1000000.0

static const struct setting settings[] = {SETTING_BROKER, SETTING_JSON};

static const struct conf_program program = {
    .name = "frameq backup",
    .usage = "FILE",
    .about = "Copies the broker's ledger, all that it must not forget, into "
             "FILE, while it serves. A broker starts from the copy when it "
             "lies as ledger.db in an otherwise empty folder (--data). FILE "
             "must not exist.",
    .epilog = "  frameq backup farm-monday.db\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 1,
};

/* The file that grows; it must be gone after Ctrl-C too. */
static char part[PATH_MAX];

static void interrupted(int signal)
{
    (void)signal;
    unlink(part);
    _exit(CLI_INTERRUPTED);
}

__attribute__((noreturn)) static void give_up(const char *path)
{
    int error = errno;
    if (part[0] != '\0')
        unlink(part);
    log_fatal(CLI_FAILED, "%s: %s", path, strerror(error));
}

static void show(void *ctx, int64_t got, int64_t all)
{
    const struct term *term = ctx;
    if (term->live && all > 0)
        fprintf(stderr, "\r%.1f of %.1f MB", (double)got / MB,
                (double)all / MB);
}

static int open_part(const char *path)
{
    struct sigaction action = {.sa_handler = interrupted};
    if (access(path, F_OK) == 0) {
        errno = EEXIST;
        give_up(path);
    }
    int n = snprintf(part, sizeof part, "%s.part-XXXXXX", path);
    int fd = n < (int)sizeof part ? mkstemp(part) : -1;
    if (fd < 0) {
        part[0] = '\0';
        give_up(path);
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    return fd;
}

/* Without replacing; by a second name where the file system cannot do it. */
static bool take_name(const char *path)
{
    if (renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    return link(part, path) == 0 && unlink(part) == 0;
}

static void sync_folder(const char *path)
{
    char dir[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(dir, sizeof dir, ".");
    else
        snprintf(dir, sizeof dir, "%.*s/", (int)(slash - path), path);
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return;
    (void)fsync(fd);
    close(fd);
}

static void fetch(struct cli *cli, int fd, int64_t *ret_bytes)
{
    struct term term;
    struct reply reply;
    term_look(&term, STDERR_FILENO);
    struct fetch fetch = {.path = "/v1/backup",
                          .type = "application/vnd.sqlite3",
                          .fd = fd,
                          .step = show,
                          .ctx = &term};
    bool whole = client_fetch(cli->client, &fetch, &reply);
    if (term.live)
        fprintf(stderr, "\r\033[K");
    if (!whole) {
        unlink(part);
        client_end(cli->client, &reply);
    }
    *ret_bytes = fetch.bytes;
    reply_done(&reply);
}

int verb_backup(int argc, char **argv)
{
    struct cli cli;
    int64_t bytes;
    cli_open(&cli, &program, argc, argv);
    const char *path = cli_operand(&cli, 0, "FILE");
    int fd = open_part(path);
    fetch(&cli, fd, &bytes);
    if (fsync(fd) != 0 || close(fd) != 0 || !take_name(path))
        give_up(path);
    sync_folder(path);
    if (cli.json)
        cli_print_json(json_pack("{s:s,s:I}", "file", path, "bytes", bytes));
    else
        printf("%s: %.1f MB\n", path, (double)bytes / MB);
    return cli_close(&cli, CLI_DONE);
}
