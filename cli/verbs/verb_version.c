/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq version. Asks no broker.
 */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/verbs/verbs.h"

static const struct setting settings[] = {
    {.name = "json", .help = "Print {\"version\":...}."},
    /* so that `frameq --broker URL version` is no error */
    {.name = "broker", .argument = "URL", .help = "Not asked."},
};

static const struct conf_program program = {
    .name = "frameq version",
    .about = "Prints the version of this program.",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

int verb_version(int argc, char **argv)
{
    struct conf *conf = conf_load(&program, argc, argv);
    if (conf_on(conf, "json"))
        printf("{\"version\":\"%s\"}\n", FRAMEQ_VERSION);
    else
        printf("frameq %s\n", FRAMEQ_VERSION);
    conf_free(&conf);
    return CLI_DONE;
}
