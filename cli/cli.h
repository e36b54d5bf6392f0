/* SPDX-License-Identifier: Apache-2.0
 *
 * What every verb starts from: its settings, the broker, the terminal. A verb
 * is a function of argv that returns the exit code.
 */
#ifndef FRAMEQ_CLI_CLI_H
#define FRAMEQ_CLI_CLI_H

#include <stdbool.h>

#include "cli/client.h"
#include "cli/term.h"
#include "common/app/conf.h"
#include "common/buf.h"

#define CLI_BROKER "http://127.0.0.1:4000"

/* Rows that most verbs' tables begin with. */
#define SETTING_BROKER                                                         \
    {.name = "broker",                                                         \
     .argument = "URL",                                                        \
     .fallback = CLI_BROKER,                                                   \
     .check = conf_is_url,                                                     \
     .help = "The broker to talk to."},                                        \
        {.name = "token",                                                      \
         .argument = "SECRET",                                                 \
         .check = conf_is_token,                                               \
         .secret = true,                                                       \
         .help = "Who you are, where the farm wants to know. Others on this "  \
                 "machine can see flags: rather set FRAMEQ_TOKEN."},           \
    {                                                                          \
        .name = "ca", .argument = "FILE",                                      \
        .help = "Certificates (PEM) that an https:// broker's is held "        \
                "against, instead of those this machine trusts: a studio's "   \
                "own authority, or the broker's self-signed one."              \
    }
#define SETTING_JSON                                                           \
    {                                                                          \
        .name = "json", .help = "Print JSON, as the HTTP API gives it."        \
    }

struct cli {
    struct conf *conf;
    struct client *client;
    struct term term; /* of stdout */
    bool json;
    char *hint; /* " --broker URL" where a command that is shown to be copied
                   needs it, else "" */
};

/* cli_open reads the settings (--broker and --json among them) and fills cli.
 * Usage errors end the program. cli_close releases it and returns code. */
void cli_open(struct cli *cli, const struct conf_program *program, int argc,
              char **argv);
int cli_close(struct cli *cli, int code);

/* cli_operand returns operand i, or ends the program with exit 2, naming what
 * is missing. */
const char *cli_operand(const struct cli *cli, size_t i, const char *what);

/* cli_frame returns operand i, the number of one frame; NULL: it is not given.
 * Whatever else it is ends the program with exit 2. */
const char *cli_frame(const struct cli *cli, size_t i);

/* cli_on tells whether a switch is on; cli_get is conf_get. */
bool cli_on(const struct cli *cli, const char *name);
const char *cli_get(const struct cli *cli, const char *name);

/* cli_print writes out to stdout and empties it; cli_print_json writes a value
 * as one line. */
void cli_print(struct buf *out);
void cli_print_json(const json_t *value);

/* cli_part has Ctrl-C say these words (may be "") on stderr and exit 130. The
 * text is copied. */
void cli_part(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* cli_leave has last called when the program exits, or is ended by Ctrl-C: it
 * may do only what a signal handler may. One at a time; NULL: none. */
void cli_leave(void (*last)(void));

#endif
