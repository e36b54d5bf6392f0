/* SPDX-License-Identifier: Apache-2.0
 *
 * What every verb starts from.
 */
#include "cli/cli.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/app/log.h"
#include "common/limits.h"
#include "common/mem.h"

/* Without the flag a copied command would go to another broker. */
static char *hint_of(const struct conf *conf)
{
    const char *url = conf_get(conf, "broker");
    const char *without = getenv("FRAMEQ_BROKER");
    if (without == NULL || *without == '\0')
        without = CLI_BROKER;
    struct buf hint;
    buf_init(&hint, 2 * LIMIT_PATH);
    if (strcmp(url, without) != 0)
        buf_print(&hint, " --broker %s", url);
    if (conf_get(conf, "ca") != NULL && getenv("FRAMEQ_CA") == NULL)
        buf_print(&hint, " --ca %s", conf_get(conf, "ca"));
    return buf_take(&hint);
}

void cli_open(struct cli *cli, const struct conf_program *program, int argc,
              char **argv)
{
    cli->conf = conf_load(program, argc, argv);
    cli->json = conf_on(cli->conf, "json");
    cli->client = client_new(conf_get(cli->conf, "broker"),
                             conf_get(cli->conf, "token"), !cli->json);
    client_trust(cli->client, conf_get(cli->conf, "ca"));
    cli->hint = hint_of(cli->conf);
    term_look(&cli->term, STDOUT_FILENO);
}

int cli_close(struct cli *cli, int code)
{
    mem_free(cli->hint);
    client_free(&cli->client);
    conf_free(&cli->conf);
    return code;
}

const char *cli_operand(const struct cli *cli, size_t i, const char *what)
{
    const char *const *operands;
    if (i >= conf_operands(cli->conf, &operands))
        log_fatal(CLI_USAGE, "%s is missing (see --help)", what);
    return operands[i];
}

const char *cli_frame(const struct cli *cli, size_t i)
{
    const char *const *operands;
    if (i >= conf_operands(cli->conf, &operands))
        return NULL;
    if (conf_is_count0(operands[i]) != NULL)
        log_fatal(CLI_USAGE, "FRAME %s", conf_is_count0(operands[i]));
    return operands[i];
}

bool cli_on(const struct cli *cli, const char *name)
{
    return conf_on(cli->conf, name);
}

const char *cli_get(const struct cli *cli, const char *name)
{
    return conf_get(cli->conf, name);
}

void cli_print(struct buf *out)
{
    fwrite(buf_text(out), 1, out->len, stdout);
    buf_clear(out);
}

void cli_print_json(const json_t *value)
{
    json_dumpf(value, stdout,
               JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    putchar('\n');
    fflush(stdout);
}

/* What a signal handler says must be ready before the signal. */
static char parting[512];
static void (*volatile leaving)(void);

static void leave(void)
{
    void (*last)(void) = leaving;
    leaving = NULL;
    if (last != NULL)
        last();
}

void cli_leave(void (*last)(void))
{
    static bool registered;
    if (!registered)
        registered = atexit(leave) == 0;
    leaving = last;
}

static void part(int signal)
{
    (void)signal;
    leave();
    if (write(STDERR_FILENO, parting, strlen(parting)) < 0)
        _exit(CLI_INTERRUPTED);
    _exit(CLI_INTERRUPTED);
}

void cli_part(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(parting, sizeof parting, format, args);
    va_end(args);
    struct sigaction action = {.sa_handler = part};
    sigaction(SIGINT, &action, NULL);
}
