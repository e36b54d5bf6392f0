/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs. Each takes its own arguments, argv[0] being the verb, and returns
 * the exit code (client.h); the table in main.c says what they are for.
 */
#ifndef FRAMEQ_CLI_VERBS_H
#define FRAMEQ_CLI_VERBS_H

int verb_submit(int argc, char **argv);
int verb_watch(int argc, char **argv);
int verb_status(int argc, char **argv);
int verb_ls(int argc, char **argv);
int verb_show(int argc, char **argv);
int verb_frames(int argc, char **argv);
int verb_agents(int argc, char **argv);
int verb_cancel(int argc, char **argv);
int verb_retry(int argc, char **argv);
int verb_pause(int argc, char **argv);
int verb_resume(int argc, char **argv);
int verb_priority(int argc, char **argv);
int verb_rm(int argc, char **argv);
int verb_dev(int argc, char **argv);
int verb_backup(int argc, char **argv);
int verb_drain(int argc, char **argv);
int verb_token(int argc, char **argv);
int verb_version(int argc, char **argv);

#endif
