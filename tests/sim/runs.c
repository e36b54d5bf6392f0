/* SPDX-License-Identifier: Apache-2.0
 *
 * Process number i of n takes every n-th story. A story that fails ends its
 * process (world.c aborts), and that ends the others. Every fiftieth seed is
 * lived through twice: it must be the same story.
 */
#include "tests/sim/runs.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/sim/world.h"

#define STUCK_S     60 /* of real time: a seed takes milliseconds */
#define TWICE_EVERY 50

/* What to say when a story ends the process: a signal handler has no other way
 * to know. */
static char last_words[200];

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
    sigaction(SIGFPE, &action, NULL);
}

static void last_words_set(const struct story *story)
{
    char crash[40] = "";
    if (story->crash_at > 0)
        snprintf(crash, sizeof crash, " --crash-at %" PRIu64, story->crash_at);
    snprintf(last_words, sizeof last_words,
             "seed %" PRIu64 " failed: replay with: frameq-sim --from %" PRIu64
             " --seeds 1%s --verbose\n",
             story->seed, story->seed, crash);
}

static uint64_t live(const struct story *story, struct stats *stats)
{
    last_words_set(story);
    alarm(STUCK_S);
    uint64_t digest = world_run(story, stats);
    alarm(0);
    return digest;
}

static void live_twice(const struct story *story, struct stats *stats)
{
    uint64_t digest = live(story, stats);
    struct story again = *story;
    again.verbose = false;
    if (story->seed % TWICE_EVERY == 0 && live(&again, stats) != digest) {
        fprintf(stderr, "the same seed made another story\n");
        abort();
    }
}

/* Without a crash first, to know how many events there are. */
static void live_every(const struct runs *runs, struct story story,
                       uint64_t part, struct stats *stats)
{
    struct stats whole = {0};
    story.crash_at = CRASH_NEVER;
    live(&story, &whole);
    for (uint64_t at = part; at < (uint64_t)whole.events; at += runs->jobs) {
        story.crash_at = at + 1;
        live(&story, stats);
    }
}

static void live_part(const struct runs *runs, uint64_t part,
                      struct stats *stats)
{
    for (uint64_t i = 0; i < runs->seeds; i++) {
        struct story story = {.seed = runs->from + i,
                              .crash_at = runs->crash_at,
                              .verbose = runs->verbose};
        if (runs->crash_every)
            live_every(runs, story, part, stats);
        else if (i % runs->jobs == part)
            live_twice(&story, stats);
    }
}

static pid_t begin(const struct runs *runs, uint64_t part, struct stats *stats)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(1);
    }
    if (pid > 0)
        return pid;
    signals_catch();
    live_part(runs, part, stats);
    exit(0);
}

/* Waits for all; the first that fails ends the rest. */
static bool end(const pid_t *pids, uint64_t n)
{
    bool well = true;
    for (uint64_t i = 0; i < n; i++) {
        int status;
        wait(&status);
        if (status == 0 || !well)
            continue;
        well = false;
        for (uint64_t k = 0; k < n; k++)
            kill(pids[k], SIGKILL);
    }
    return well;
}

bool runs_live(const struct runs *runs, struct stats *ret_stats)
{
    size_t size = runs->jobs * sizeof(struct stats);
    struct stats *stats = mmap(NULL, size, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pids[RUNS_JOBS_MAX];
    if (stats == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    for (uint64_t i = 0; i < runs->jobs; i++)
        pids[i] = begin(runs, i, &stats[i]);
    bool well = end(pids, runs->jobs);
    for (uint64_t i = 0; i < runs->jobs; i++)
        stats_add(ret_stats, &stats[i]);
    munmap(stats, size);
    return well;
}
