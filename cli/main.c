/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq: the call of the verb that was typed.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/verbs/verbs.h"
#include "common/app/log.h"
#include "common/mem.h"
#include "common/text.h"

/* Flags that may stand before a verb. */
static const char *const flags[] = {"broker", "token",  "ca",
                                    "json",   "config", "print-config",
                                    "help",   "version"};
#define FLAGS_N (sizeof flags / sizeof *flags)

static bool is_known(const char *flag)
{
    size_t len = strcspn(flag, "=");
    for (size_t i = 0; i < FLAGS_N; i++)
        if (len == strlen(flags[i]) + 2 && strncmp(flag, "--", 2) == 0 &&
            strncmp(flag + 2, flags[i], len - 2) == 0)
            return true;
    return strcmp(flag, "--") == 0;
}

__attribute__((noreturn)) static void refuse_flag(const char *flag)
{
    char shown[64], word[64];
    const char *name = flag + strspn(flag, "-");
    snprintf(word, sizeof word, "%.*s", (int)strcspn(name, "="), name);
    const char *nearest = conf_nearest(word, flags, FLAGS_N);
    text_excerpt(flag, strlen(flag), shown, sizeof shown);
    if (nearest != NULL && strlen(word) > 1)
        log_fatal(CLI_USAGE, "unknown flag %s (did you mean --%s?)", shown,
                  nearest);
    log_fatal(CLI_USAGE,
              "unknown flag %s: those of a verb stand behind it (see `frameq "
              "--help`)",
              shown);
}

/* Ends the program at the first of argv that is a flag and none of frameq's. */
static void refuse_flags(int n, char **argv)
{
    for (int i = 1; i < n; i++)
        if (argv[i][0] == '-' && !is_known(argv[i]))
            refuse_flag(argv[i]);
}

__attribute__((noreturn)) static void refuse_verb(const char *name)
{
    char shown[64];
    const char *nearest = verb_nearest(name);
    text_excerpt(name, strlen(name), shown, sizeof shown);
    if (nearest != NULL)
        log_fatal(CLI_USAGE, "unknown verb `%s` (did you mean `%s`?)", shown,
                  nearest);
    log_fatal(CLI_USAGE, "unknown verb `%s` (see `frameq --help`)", shown);
}

/* The index of the verb in argv: the first word that is neither a flag nor the
 * value of one that may stand before a verb. argc: there is none. */
static int verb_index(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-')
            return i;
        if (strcmp(argv[i], "--broker") == 0 ||
            strcmp(argv[i], "--config") == 0 ||
            strcmp(argv[i], "--token") == 0 || strcmp(argv[i], "--ca") == 0)
            i++;
    }
    return argc;
}

/* Runs a verb on "frameq [FLAG]... VERB [ARG]..." with the verb put first. */
static int run(const struct verb *verb, int at, int argc, char **argv)
{
    char **args = mem_new(((size_t)argc + 1) * sizeof *args);
    args[0] = argv[at];
    for (int i = 1, n = 1; i < argc; i++)
        if (i != at)
            args[n++] = argv[i];
    int code = verb->run(argc - 1, args);
    mem_free(args);
    return code;
}

static bool is_any(const char *text, const char *a, const char *b,
                   const char *c)
{
    return strcmp(text, a) == 0 || strcmp(text, b) == 0 || strcmp(text, c) == 0;
}

/* What is asked of frameq itself, without a verb. */
static int answer_without_verb(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (is_any(argv[i], "--help", "-h", "help")) {
            verbs_help(stdout);
            return CLI_DONE;
        }
        if (strcmp(argv[i], "--version") == 0) {
            char *args[] = {argv[i], NULL};
            return verb_version(1, args);
        }
    }
    refuse_flags(argc, argv);
    if (argc > 1)
        log_fatal(CLI_USAGE, "%s: no verb (see `frameq --help`)", argv[1]);
    verbs_help(stderr);
    return CLI_USAGE;
}

static int dispatch(int argc, char **argv)
{
    int at = verb_index(argc, argv);
    if (at >= argc || strcmp(argv[at], "help") == 0) {
        if (at + 1 >= argc)
            return answer_without_verb(argc, argv);
        /* `frameq help VERB` is `frameq VERB --help` */
        static char flag[] = "--help";
        argv[at++] = flag;
    }
    const struct verb *verb = verb_find(argv[at]);
    if (verb == NULL) {
        refuse_flags(at, argv); /* what follows it may be its value */
        refuse_verb(argv[at]);
    }
    return run(verb, at, argc, argv);
}

int main(int argc, char **argv)
{
    setlocale(LC_CTYPE, "");
    log_open("frameq");
    cli_part("%s", "");
    int code = dispatch(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout))
        log_fatal(CLI_FAILED, "cannot write to stdout");
    return code;
}
