/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-sim: the core in a simulated farm, seed by seed. Stops at the first
 * seed in which something is wrong and says how to see it again. Every fiftieth
 * is lived through twice: it must be the same story.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/sim/world.h"

#define STUCK_S     60 /* of real time: a seed takes milliseconds */
#define TWICE_EVERY 50

struct options {
    uint64_t seeds, from;
    bool verbose;
};

/* What to say when a seed ends the program: a signal handler has no other way
 * to know. */
static char last_words[160];

static void on_signal(int number)
{
    static const char stuck[] = "stuck\n";
    ssize_t written = 0;
    if (number == SIGALRM)
        written += write(STDERR_FILENO, stuck, sizeof stuck - 1);
    written += write(STDERR_FILENO, last_words, strlen(last_words));
    _exit(written > 0 ? 1 : 2);
}

static void signals_catch(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGABRT, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
}

static void seed_run(uint64_t seed, bool verbose)
{
    snprintf(last_words, sizeof last_words,
             "seed %llu failed: replay with: frameq-sim --seeds 1 --from %llu "
             "--verbose\n",
             (unsigned long long)seed, (unsigned long long)seed);
    alarm(STUCK_S);
    uint64_t digest = world_run(seed, verbose);
    if (seed % TWICE_EVERY == 0 && world_run(seed, false) != digest) {
        fprintf(stderr, "seed %llu: the same seed made another story\n",
                (unsigned long long)seed);
        abort();
    }
    alarm(0);
}

static int usage(FILE *out, int status)
{
    fputs("Usage: frameq-sim --seeds N [--from M] [--verbose]\n"
          "Runs the broker's core in N simulated farms, from seed M (0) on.\n",
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

/* Returns how many arguments the first one is with its value; 0: unknown. */
static int option_read(char **argv, struct options *ret)
{
    bool seeds = strcmp(argv[0], "--seeds") == 0;
    bool from = strcmp(argv[0], "--from") == 0;
    if (strcmp(argv[0], "--verbose") == 0) {
        ret->verbose = true;
        return 1;
    }
    if (!seeds && !from)
        return 0;
    return number_read(argv[1], seeds ? &ret->seeds : &ret->from) ? 2 : 0;
}

static bool options_read(char **argv, struct options *ret)
{
    while (*argv) {
        int n = option_read(argv, ret);
        if (n == 0)
            return false;
        argv += n;
    }
    return ret->seeds > 0;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    if (!options_read(argv + 1, &options))
        return usage(stderr, 2);
    signals_catch();
    for (uint64_t i = 0; i < options.seeds; i++)
        seed_run(options.from + i, options.verbose);
    printf("%llu seeds, all well\n", (unsigned long long)options.seeds);
    return 0;
}
