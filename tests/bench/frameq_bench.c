/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-bench: measures real programs of this build on this machine. Not
 * installed. Figures of a busy machine say little; compare ratios and medians
 * of several runs.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/app/log.h"
#include "tests/bench/bench.h"

static const struct verb {
    const char *word, *help;
    int (*run)(int argc, char **argv);
} verbs[] = {
    {"dispatch", "batches a second, and the wait for one", bench_dispatch},
    {"feed", "what readers of the feed cost, and how soon they have an event",
     bench_feed},
    {"makespan", "how late the last frame is, beside the least time possible",
     bench_makespan},
    {"render", "frames a second, Blender started anew or kept open",
     bench_render},
    {"replay", "the start with ended jobs, before and after packing",
     bench_replay},
    {"status", "GET /status a second, and a look at the farm", bench_status},
    {"submit", "durable submits a second", bench_submit},
};

static void print_usage(FILE *out)
{
    fputs("Usage: frameq-bench VERB [--help] [--json] ...\n", out);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        fprintf(out, "  %-10s %s\n", verbs[i].word, verbs[i].help);
}

int main(int argc, char **argv)
{
    log_open("frameq-bench");
    for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof *verbs; i++)
        if (strcmp(argv[1], verbs[i].word) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    bool asked = argc > 1 && strcmp(argv[1], "--help") == 0;
    print_usage(asked ? stdout : stderr);
    return asked ? 0 : 2;
}
