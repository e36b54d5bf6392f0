/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq completion: prints the script by which a shell completes frameq. The
 * scripts, in completion/, ask frameq for its verbs and flags, so that these
 * stand nowhere twice.
 */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/verbs/verbs.h"
#include "common/app/log.h"

extern const unsigned char completion_bash[], completion_zsh[],
    completion_fish[];
extern const size_t completion_bash_len, completion_zsh_len,
    completion_fish_len;

static const struct shell {
    const char *name;
    const unsigned char *script;
    const size_t *len;
} shells[] = {
    {"bash", completion_bash, &completion_bash_len},
    {"zsh", completion_zsh, &completion_zsh_len},
    {"fish", completion_fish, &completion_fish_len},
};

/* So that `frameq --broker URL completion` is no error. */
static const struct setting settings[] = {
    {.name = "broker", .argument = "URL", .help = "Not asked."},
};

static const struct conf_program program = {
    .name = "frameq completion",
    .usage = "bash|zsh|fish|verbs",
    .about = "Prints the script by which a shell completes verbs, flags, jobs "
             "and agents; or, as those scripts ask, the verbs.",
    .epilog = "  eval \"$(frameq completion bash)\"      in ~/.bashrc\n"
              "  source <(frameq completion zsh)       in ~/.zshrc\n"
              "  frameq completion fish | source       in "
              "~/.config/fish/config.fish\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 1,
};

static const struct shell *shell_find(const char *name)
{
    for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
        if (strcmp(shells[i].name, name) == 0)
            return &shells[i];
    log_fatal(CLI_USAGE, "%s: no shell that is known: bash, zsh or fish", name);
}

int verb_completion(int argc, char **argv)
{
    struct conf *conf = conf_load(&program, argc, argv);
    const char *const *operands;
    if (conf_operands(conf, &operands) == 0)
        log_fatal(CLI_USAGE, "the shell is missing: bash, zsh or fish");
    if (strcmp(operands[0], "verbs") == 0) {
        verbs_list(stdout);
    } else {
        const struct shell *shell = shell_find(operands[0]);
        fwrite(shell->script, 1, *shell->len, stdout);
    }
    conf_free(&conf);
    return CLI_DONE;
}
