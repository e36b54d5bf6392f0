/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs. Each takes its own arguments, argv[0] being the verb, and returns
 * the exit code (client.h).
 */
#ifndef FRAMEQ_CLI_VERBS_VERBS_H
#define FRAMEQ_CLI_VERBS_VERBS_H

#include <stddef.h>
#include <stdio.h>

int verb_submit(int argc, char **argv);
int verb_watch(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_ls(int argc, char **argv);
int verb_show(int argc, char **argv);
int verb_explain(int argc, char **argv);
int verb_fetch(int argc, char **argv);
int verb_movie(int argc, char **argv);
int verb_frames(int argc, char **argv);
int verb_logs(int argc, char **argv);
int verb_activity(int argc, char **argv);
int verb_agents(int argc, char **argv);
int verb_cancel(int argc, char **argv);
int verb_retry(int argc, char **argv);
int verb_pause(int argc, char **argv);
int verb_resume(int argc, char **argv);
int verb_priority(int argc, char **argv);
int verb_rm(int argc, char **argv);
int verb_doctor(int argc, char **argv);
int verb_dev(int argc, char **argv);
int verb_backup(int argc, char **argv);
int verb_drain(int argc, char **argv);
int verb_token(int argc, char **argv);
int verb_completion(int argc, char **argv);
int verb_version(int argc, char **argv);

struct verb {
    const char *group; /* NULL: that of the one before */
    const char *name;
    const char
        *help; /* a few words, at most 50 columns; NULL: those of the
                  verb before speak of it too, and it shares their line */
    int (*run)(int argc, char **argv);
};

extern const struct verb verbs[];
extern const size_t verbs_n;

/* verbs_help writes what `frameq --help` prints: at most 24 lines of 80
 * columns. */
void verbs_help(FILE *out);

/* verbs_list writes every verb, a tab and its help, a line each, for shells. */
void verbs_list(FILE *out);

/* verb_find returns the verb of that name, NULL when there is none. */
const struct verb *verb_find(const char *name);

/* verb_nearest returns the verb that was probably meant by a word that is none,
 * NULL when there is no telling. */
const char *verb_nearest(const char *name);

#endif
