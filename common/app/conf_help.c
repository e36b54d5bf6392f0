/* SPDX-License-Identifier: Apache-2.0
 *
 * What a program says about its settings: --help within 80 columns, --version
 * and --print-config, whose output --config takes.
 */
#include "common/app/conf_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/log.h"
#include "common/buf.h"
#include "common/limits.h"

#define COLUMNS     79
#define HELP_COLUMN 26
#define HELP_MAX    4096 /* bytes of one help text */

__attribute__((noreturn)) static void end_output(void)
{
    exit(fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1);
}

/* Prints words from column `at` on, further lines indented. */
static void print_wrapped(const char *text, size_t at, size_t indent)
{
    for (bool first = true; *text != '\0'; first = false) {
        size_t len = strcspn(text, " ");
        if (!first && at + 1 + len > COLUMNS) {
            printf("\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)len, text);
        at += len;
        text += len + strspn(text + len, " ");
    }
    putchar('\n');
}

static void print_setting(const struct setting *setting)
{
    char flag[128], letter[] = "    ";
    bool takes = setting->argument != NULL;
    if (setting->letter != 0)
        snprintf(letter, sizeof letter, "-%c, ", setting->letter);
    int n = snprintf(flag, sizeof flag, "  %s--%s%s%s", letter, setting->name,
                     takes ? " " : "", takes ? setting->argument : "");
    if (n + 2 <= HELP_COLUMN)
        printf("%-*s", HELP_COLUMN, flag);
    else
        printf("%s\n%*s", flag, HELP_COLUMN, "");
    struct buf help;
    buf_init(&help, HELP_MAX);
    buf_print(&help, "%s", setting->help);
    if (setting->many)
        buf_print(&help, " May be given again.");
    if (setting->fallback != NULL)
        buf_print(&help, " (default: %s)", setting->fallback);
    print_wrapped(buf_text(&help), HELP_COLUMN, HELP_COLUMN);
    buf_free(&help);
}

void conf_help(const struct conf *conf)
{
    const struct conf_program *program = conf->program;
    bool operands = program->usage != NULL && *program->usage != '\0';
    printf("Usage: %s [FLAG]...%s%s\n\n", program->name, operands ? " " : "",
           operands ? program->usage : "");
    print_wrapped(program->about, 0, 0);
    putchar('\n');
    for (size_t i = 0; i < conf->n; i++)
        print_setting(conf->rows[i].setting);
    putchar('\n');
    print_wrapped("A flag beats its variable (FRAMEQ_ and the flag in upper "
                  "case, - as _), which beats the file of --config.",
                  0, 0);
    if (program->epilog != NULL)
        printf("\n%s", program->epilog);
    end_output();
}

void conf_version(const struct conf *conf)
{
    const char *version = conf->program->version;
    printf("%s %s\n", conf->program->name,
           version != NULL ? version : FRAMEQ_VERSION);
    end_output();
}

static void print_line(const char *name, const char *value)
{
    char quote = strchr(value, '"') == NULL ? '"' : '\'';
    if (strchr(value, quote) != NULL)
        log_fatal(1, "--%s: no file can hold both kinds of quotes", name);
    int n = printf("%s = %c%s%c\n", name, quote, value, quote);
    if (n > LIMIT_CONF_LINE)
        log_fatal(1, "--%s: too long for a file", name);
}

void conf_print(const struct conf *conf)
{
    for (size_t i = 0; i < conf->program->n; i++) {
        const struct conf_row *row = &conf->rows[i];
        if (row->n == 0 && row->setting->argument == NULL)
            print_line(row->setting->name, "false");
        else if (row->n == 0)
            printf("# %s =\n", row->setting->name);
        if (row->n > 0 && row->setting->secret)
            printf("# %s = (set)\n", row->setting->name);
        for (size_t v = 0; v < row->n && !row->setting->secret; v++)
            print_line(row->setting->name, row->values[v]);
    }
    end_output();
}
