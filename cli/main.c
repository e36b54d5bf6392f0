/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq: the table of verbs, the help that teaches them, and the call of the
 * one that was typed. Knows nothing of what a verb does.
 */
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/verbs.h"
#include "common/app/log.h"
#include "common/mem.h"
#include "common/text.h"

struct verb {
    const char *group; /* NULL: that of the one before */
    const char *name;
    const char *help;
    int (*run)(int argc, char **argv);
};

static const struct verb verbs[] = {
    {"render", "submit", "queue frames; --wait stays until they are rendered",
     verb_submit},
    {NULL, "watch", "follow the farm live, or one job to its end", verb_watch},
    {"look", "status", "the farm in one screen", verb_status},
    {NULL, "ls", "jobs: progress, time left, priority", verb_ls},
    {NULL, "show", "one job: what failed, why, what to do", verb_show},
    {NULL, "frames", "every frame of a job", verb_frames},
    {NULL, "agents", "the machines that render", verb_agents},
    {"steer", "cancel", "end a job, or some of its frames", verb_cancel},
    {NULL, "retry", "render failed frames again, or any with -f", verb_retry},
    {NULL, "pause", "hold a job back; what renders goes on", verb_pause},
    {NULL, "resume", "let it go on", verb_resume},
    {NULL, "priority", "0 to 100, 100 goes first (50)", verb_priority},
    {NULL, "rm", "forget ended jobs; pictures stay", verb_rm},
    {"farm", "dev", "a whole farm on this machine, to try it out", verb_dev},
    {NULL, "drain", "let an agent finish and take nothing new", verb_drain},
    {NULL, "token", "who may use the farm: add, ls, rm", verb_token},
    {NULL, "backup", "copy the broker's ledger into a file", verb_backup},
    {NULL, "version", "print the version", verb_version},
};
#define VERBS (sizeof verbs / sizeof *verbs)

/* Verbs that are promised and not here yet: known words, no typing errors. */
static const char *const later[] = {"logs",  "explain", "activity",
                                    "movie", "doctor",  "completion"};

static void print_help(FILE *out)
{
    fprintf(out, "frameq renders Blender frames on a farm: "
                 "frameq submit shot.blend -f 1-250\n");
    for (size_t i = 0; i < VERBS; i++)
        fprintf(out, "  %-8s%-10s%s\n",
                verbs[i].group == NULL ? "" : verbs[i].group, verbs[i].name,
                verbs[i].help);
    fprintf(out,
            "\nA JOB is an id, the beginning of one, or the newest job's name."
            "\nThe broker is --broker URL, else FRAMEQ_BROKER, else " CLI_BROKER
            ".\n`frameq VERB --help` tells all of a verb. NO_COLOR is honoured."
            "\nExit: 0 done, 1 job failed, 2 usage, 3 no broker, 4 refused,"
            " 130 Ctrl-C.\n");
}

static const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

__attribute__((noreturn)) static void refuse_verb(const char *name)
{
    const char *names[VERBS];
    char shown[64];
    for (size_t i = 0; i < sizeof later / sizeof *later; i++)
        if (strcmp(later[i], name) == 0)
            log_fatal(CLI_USAGE, "frameq %s is not part of this version", name);
    for (size_t i = 0; i < VERBS; i++)
        names[i] = verbs[i].name;
    const char *nearest = conf_nearest(name, names, VERBS);
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
            strcmp(argv[i], "--config") == 0 || strcmp(argv[i], "--token") == 0)
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
            print_help(stdout);
            return CLI_DONE;
        }
        if (strcmp(argv[i], "--version") == 0) {
            char *args[] = {argv[i], NULL};
            return verb_version(1, args);
        }
    }
    if (argc > 1)
        log_fatal(CLI_USAGE, "%s: no verb (see `frameq --help`)", argv[1]);
    print_help(stderr);
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
    if (verb == NULL)
        refuse_verb(argv[at]);
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
