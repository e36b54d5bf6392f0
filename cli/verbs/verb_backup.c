/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq backup: a copy of the broker's ledger in a file here.
 */
#include "cli/bring/download.h"
#include "cli/cli.h"
#include "cli/verbs/verbs.h"

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

int verb_backup(int argc, char **argv)
{
    struct cli cli;
    cli_open(&cli, &program, argc, argv);
    const struct download download = {.path = "/v1/backup",
                                      .type = "application/vnd.sqlite3",
                                      .file = cli_operand(&cli, 0, "FILE")};
    download_to_file(&cli, &download);
    return cli_close(&cli, CLI_DONE);
}
