/* SPDX-License-Identifier: Apache-2.0
 *
 * The verbs of frameq-bench. Each reads its own flags and prints one result:
 * a line of JSON with --json, else a few lines for people.
 */
#ifndef FRAMEQ_TESTS_BENCH_BENCH_H
#define FRAMEQ_TESTS_BENCH_BENCH_H

int bench_dispatch(int argc, char **argv);
int bench_submit(int argc, char **argv);

#endif
