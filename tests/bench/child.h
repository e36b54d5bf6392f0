/* SPDX-License-Identifier: Apache-2.0
 *
 * A server that a measurement starts: its process, its folder on the disk that
 * is measured, and what it has used. It ends when this program does, however
 * that ends.
 */
#ifndef FRAMEQ_TESTS_BENCH_CHILD_H
#define FRAMEQ_TESTS_BENCH_CHILD_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
    pid_t pid; /* 0: none */
    char folder[PATH_MAX];
};

/* child_init makes a new folder below `below` and starts nothing. An error
 * ends the program. */
void child_init(struct child *child, const char *below);

/* child_start runs argv (argv[0] is a path), its stdout at the descriptor out,
 * -1: nowhere; its stderr goes nowhere. */
void child_start(struct child *child, char *const *argv, int out);

/* child_cpu_us returns processor time it has used so far; child_memory_kb its
 * resident memory now; 0 when it is gone. */
int64_t child_cpu_us(const struct child *child);
int64_t child_memory_kb(const struct child *child);

/* child_done ends the process with SIGTERM and removes the folder. */
void child_done(struct child *child);

#endif
