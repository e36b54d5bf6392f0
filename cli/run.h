/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs another program to its end, for what it says.
 */
#ifndef FRAMEQ_CLI_RUN_H
#define FRAMEQ_CLI_RUN_H

#include <stddef.h>

enum run {
    RUN_WELL,   /* it ended with exit 0 */
    RUN_ABSENT, /* there is no such program, or it may not be run */
    RUN_FAILED, /* it ended otherwise */
    RUN_SLOW    /* it was ended after most_ms */
};

/* run runs argv (argv[0]: a path, or a name looked for in PATH; ended by NULL)
 * without a shell and without input; out takes what it writes. Where it is not
 * RUN_WELL, why says for people what happened. */
enum run run(const char *const *argv, int out, int most_ms, char *why,
             size_t size);

#endif
