/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq backup: a copy of the broker's ledger in a file here.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/place.h"
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

static void show(void *ctx, int64_t got, int64_t all)
{
    const struct term *term = ctx;
    if (term->live && all > 0)
        fprintf(stderr, "\r%.1f of %.1f MB", (double)got / MB,
                (double)all / MB);
}

static int64_t fetch(const struct cli *cli, const char *path, int fd)
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
        place_drop();
        if (fetch.error != 0)
            log_fatal(CLI_FAILED, "%s: %s", path, strerror(fetch.error));
        client_end(cli->client, &reply);
    }
    reply_done(&reply);
    return fetch.bytes;
}

static void print_json(const char *path, int64_t bytes)
{
    json_t *copy =
        json_pack("{s:s,s:I}", "file", path, "bytes", (json_int_t)bytes);
    cli_print_json(copy);
    json_decref(copy);
}

int verb_backup(int argc, char **argv)
{
    struct cli cli;
    cli_open(&cli, &program, argc, argv);
    const char *path = cli_operand(&cli, 0, "FILE");
    int fd = place_open(path);
    int64_t bytes = fetch(&cli, path, fd);
    place_keep(fd);
    if (cli.json)
        print_json(path, bytes);
    else
        printf("%s: %.1f MB\n", path, (double)bytes / MB);
    return cli_close(&cli, CLI_DONE);
}
