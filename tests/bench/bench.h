/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs of frameq-bench. Each reads its own flags and prints one result:
 * a line of JSON with --json, else a few lines for people.
 */
#ifndef FRAMEQ_TESTS_BENCH_BENCH_H
#define FRAMEQ_TESTS_BENCH_BENCH_H

/* Rows of every verb's table of settings. */
#define BENCH_SETTING_DIR                                                      \
    {                                                                          \
        .name = "dir", .argument = "DIR", .fallback = ".",                     \
        .help = "Where the ledger's folder is made; it is removed afterwards"  \
    }
#define BENCH_SETTING_JSON                                                     \
    {                                                                          \
        .name = "json", .help = "Print one line of JSON"                       \
    }

int bench_dispatch(int argc, char **argv);
int bench_feed(int argc, char **argv);
int bench_makespan(int argc, char **argv);
int bench_render(int argc, char **argv);
int bench_replay(int argc, char **argv);
int bench_status(int argc, char **argv);
int bench_submit(int argc, char **argv);

#endif
