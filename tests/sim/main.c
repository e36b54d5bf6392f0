/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-sim: the broker in a simulated farm, seed by seed. Stops at the first
 * seed in which something is wrong and says how to see it again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/sim/runs.h"

struct options {
    struct runs runs;
    bool all_faults;
};

static int usage(FILE *out, int status)
{
    fputs(
        "Usage: frameq-sim --seeds N [OPTION...]\n"
        "Lives through N simulated farms with the broker in their middle.\n"
        "\n"
        "  --from M       first seed (0)\n"
        "  --jobs N       processes (one a processor; 1 when --verbose)\n"
        "  --crash-at K   the broker crashes after the K-th event\n"
        "  --crash-every  each seed again for every event of it, with a crash\n"
        "                 of the broker after that\n"
        "  --all-faults   fails unless every kind of fault happened\n"
        "  --verbose      tells the story\n",
        out);
    return status;
}

static bool number_read(const char *text, uint64_t *ret)
{
    char *end;
    errno = 0;
    if (!text || text[0] < '0' || text[0] > '9')
        return false;
    *ret = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool *flag_of(const char *name, struct options *options)
{
    if (strcmp(name, "--verbose") == 0)
        return &options->runs.verbose;
    if (strcmp(name, "--crash-every") == 0)
        return &options->runs.crash_every;
    if (strcmp(name, "--all-faults") == 0)
        return &options->all_faults;
    return NULL;
}

static uint64_t *number_of(const char *name, struct options *options)
{
    if (strcmp(name, "--seeds") == 0)
        return &options->runs.seeds;
    if (strcmp(name, "--from") == 0)
        return &options->runs.from;
    if (strcmp(name, "--jobs") == 0)
        return &options->runs.jobs;
    if (strcmp(name, "--crash-at") == 0)
        return &options->runs.crash_at;
    return NULL;
}

/* Returns how many arguments the first one is with its value; 0: unknown. */
static int option_read(char **argv, struct options *ret)
{
    bool *flag = flag_of(argv[0], ret);
    uint64_t *number = number_of(argv[0], ret);
    if (flag) {
        *flag = true;
        return 1;
    }
    return number && number_read(argv[1], number) ? 2 : 0;
}

static bool options_read(char **argv, struct options *ret)
{
    while (*argv) {
        int n = option_read(argv, ret);
        if (n == 0)
            return false;
        argv += n;
    }
    return ret->runs.seeds > 0 && ret->runs.jobs <= RUNS_JOBS_MAX;
}

/* A story is told in one piece; more processes than stories are idle. */
static void jobs_choose(struct runs *runs)
{
    long here = sysconf(_SC_NPROCESSORS_ONLN);
    if (runs->jobs == 0)
        runs->jobs = here > RUNS_JOBS_MAX ? RUNS_JOBS_MAX
                     : here < 1           ? 1
                                          : (uint64_t)here;
    bool alone = runs->seeds == 1 && !runs->crash_every;
    if (runs->verbose || alone)
        runs->jobs = 1;
}

static double seconds(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec + (double)at.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct stats stats = {0};
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    if (!options_read(argv + 1, &options))
        return usage(stderr, 2);
    jobs_choose(&options.runs);
    double began = seconds();
    bool well = runs_live(&options.runs, &stats);
    stats_print(&stats, seconds() - began);
    if (options.all_faults)
        well = stats_complete(&stats) && well;
    puts(well ? "all well" : "FAILED");
    return well ? 0 : 1;
}
