/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of verbs and the help that teaches them. Knows nothing of what a
 * verb does.
 */
#include "cli/verbs/verbs.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "cli/cli.h"

const struct verb verbs[] = {
    {"render", "submit", "queue frames; --wait stays until they are rendered",
     verb_submit},
    {NULL, "watch", "follow the farm live, or one job to its end", verb_watch},
    {"look", "status", "the farm in one screen", verb_status},
    {NULL, "ls", "jobs: progress, time left, priority", verb_ls},
    {NULL, "show", "one job: what failed; why it waits or runs", verb_show},
    {NULL, "explain", NULL, verb_explain},
    {NULL, "frames", "every frame of a job; what Blender printed of one",
     verb_frames},
    {NULL, "logs", NULL, verb_logs},
    {NULL, "fetch", "bring a job's pictures here, or a movie of them",
     verb_fetch},
    {NULL, "movie", NULL, verb_movie},
    {NULL, "agents", "the machines that render; who did what, when",
     verb_agents},
    {NULL, "activity", NULL, verb_activity},
    {"steer", "cancel", "end a job, or some of its frames", verb_cancel},
    {NULL, "retry", "render failed frames again, or any with -f", verb_retry},
    {NULL, "pause", "hold a job back; let it go on", verb_pause},
    {NULL, "resume", NULL, verb_resume},
    {NULL, "priority", "0 to 100, 100 goes first (50)", verb_priority},
    {NULL, "rm", "forget ended jobs; pictures stay", verb_rm},
    {"farm", "dev", "a whole farm on this machine, to try it out", verb_dev},
    {NULL, "doctor", "what is wrong here, on the farm or in a .blend",
     verb_doctor},
    {NULL, "drain", "let an agent finish and take nothing new", verb_drain},
    {NULL, "token", "who may use the farm: add, ls, rm", verb_token},
    {NULL, "backup", "copy the broker's ledger into a file", verb_backup},
    {"shell", "completion", "for bash, zsh or fish; what this is",
     verb_completion},
    {NULL, "version", NULL, verb_version},
};
const size_t verbs_n = sizeof verbs / sizeof *verbs;

#define NAMES_COLUMN 20

/* Writes the names of a line: a verb, and those that share its line. */
static void write_names(FILE *out, size_t i)
{
    int width = fprintf(out, "%s", verbs[i].name);
    while (++i < verbs_n && verbs[i].help == NULL)
        width += fprintf(out, ", %s", verbs[i].name);
    fprintf(out, "%*s", width < NAMES_COLUMN ? NAMES_COLUMN - width : 1, "");
}

void verbs_help(FILE *out)
{
    fprintf(out, "frameq renders Blender frames on a farm: "
                 "frameq submit shot.blend -f 1-250\n");
    for (size_t i = 0; i < verbs_n; i++) {
        if (verbs[i].help == NULL)
            continue;
        fprintf(out, "  %-8s", verbs[i].group == NULL ? "" : verbs[i].group);
        write_names(out, i);
        fprintf(out, "%s\n", verbs[i].help);
    }
    fprintf(out,
            "A JOB is an id, the beginning of one, or the newest job's name."
            "\nThe broker is --broker URL, else FRAMEQ_BROKER, else " CLI_BROKER
            ".\n`frameq VERB --help` tells all of a verb. NO_COLOR is honoured."
            "\nExit: 0 done, 1 job failed, 2 usage, 3 no broker, 4 refused,"
            " 130 Ctrl-C.\n");
}

void verbs_list(FILE *out)
{
    const char *help = "";
    for (size_t i = 0; i < verbs_n; i++) {
        if (verbs[i].help != NULL)
            help = verbs[i].help;
        fprintf(out, "%s\t%s\n", verbs[i].name, help);
    }
}

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < verbs_n; i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

/* What other farms and shells call a verb. */
static const char *const others[][2] = {
    {"abort", "cancel"},   {"add", "submit"},     {"check", "doctor"},
    {"delete", "rm"},      {"download", "fetch"}, {"events", "watch"},
    {"info", "show"},      {"jobs", "ls"},        {"kill", "cancel"},
    {"list", "ls"},        {"nodes", "agents"},   {"ps", "ls"},
    {"queue", "ls"},       {"remove", "rm"},      {"render", "submit"},
    {"requeue", "retry"},  {"start", "dev"},      {"stop", "cancel"},
    {"unpause", "resume"}, {"workers", "agents"},
};

const char *verb_nearest(const char *name)
{
    const char *names[sizeof verbs / sizeof *verbs];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcasecmp(others[i][0], name) == 0)
            return others[i][1];
    for (size_t i = 0; i < verbs_n; i++)
        names[i] = verbs[i].name;
    return conf_nearest(name, names, verbs_n);
}
