/* SPDX-License-Identifier: Apache-2.0
 *
 * The range of when a job is done, held against runs whose end is known:
 * frames of drawn times, slots of different speeds that take the next frame
 * when they have rendered one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>

#include "broker/views/eta.h"

#define SLOTS_MOST 32
#define RUNS       60   /* of each kind */
#define HOLDS      0.90 /* this part of the ranges has to hold the truth */
#define HOLDS_EACH 0.75 /* of each kind, from a quarter of the job on */

static uint64_t seed = 20261124;

static double draw(void) /* in (0,1) */
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return ((double)(seed >> 11) + 0.5) / (double)(UINT64_C(1) << 53);
}

/* Lognormal with median 1000. */
static double draw_frame(double sigma)
{
    double normal = sqrt(-2.0 * log(draw())) * cos(2.0 * M_PI * draw());
    return 1000.0 * exp(sigma * normal);
}

struct kind {
    int frames, slots;
    double sigma;
    double slowest; /* speeds lie between 1 and this */
};

struct run {
    struct kind kind;
    double at[SLOTS_MOST], ms[SLOTS_MOST], slow[SLOTS_MOST];
    int begun, done, busy;
    double sum, sum2, now_ms;
};

static void take_next(struct run *run, int slot)
{
    run->at[slot] = INFINITY;
    if (run->begun == run->kind.frames) {
        run->busy--;
        return;
    }
    run->begun++;
    run->ms[slot] = draw_frame(run->kind.sigma) * run->slow[slot];
    run->at[slot] = run->now_ms + run->ms[slot];
}

static void begin(struct run *run, const struct kind *kind)
{
    *run = (struct run){.kind = *kind, .busy = kind->slots};
    for (int i = 0; i < kind->slots; i++) {
        run->slow[i] = 1.0 + draw() * (kind->slowest - 1.0);
        take_next(run, i);
    }
}

static void finish_one(struct run *run)
{
    int first = 0;
    for (int i = 1; i < run->kind.slots; i++)
        if (run->at[i] < run->at[first])
            first = i;
    run->now_ms = run->at[first];
    run->done++;
    run->sum += run->ms[first];
    run->sum2 += run->ms[first] * run->ms[first];
    take_next(run, first);
}

static struct eta range_now(const struct run *run)
{
    double n = run->done, mean = run->sum / n;
    double variance = fmax(0.0, (run->sum2 - n * mean * mean) / (n - 1.0));
    const struct eta_part part = {.seen = run->done,
                                  .mean_ms = mean,
                                  .spread = sqrt(variance) / mean,
                                  .ahead = run->kind.frames - run->begun,
                                  .begun = run->busy};
    struct eta_sum sum = {0};
    eta_add(&sum, &part);
    return eta_of(&sum, run->busy);
}

#define LOOKS       5
#define LOOK_LATER  2
#define LOOK_MIDDLE 3

struct tally {
    int held, all;
    int later_held, later; /* of them, from LOOK_LATER on */
    double wide;           /* sum of (high - low) / truth at LOOK_MIDDLE */
    int middle;
};

static void follow(const struct kind *kind, struct tally *tally)
{
    const int looks[LOOKS] = {ETA_FRAMES, 10, kind->frames / 4,
                              kind->frames / 2, kind->frames * 9 / 10};
    struct eta said[LOOKS];
    double when[LOOKS];
    struct run run;
    begin(&run, kind);
    while (run.done < kind->frames) {
        finish_one(&run);
        for (int i = 0; i < LOOKS; i++)
            if (run.done == looks[i]) {
                said[i] = range_now(&run);
                when[i] = run.now_ms;
            }
    }
    for (int i = 0; i < LOOKS; i++) {
        double truth = run.now_ms - when[i];
        bool held = truth >= said[i].low_ms && truth <= said[i].high_ms;
        tally->all++;
        tally->held += held;
        tally->later += i >= LOOK_LATER;
        tally->later_held += i >= LOOK_LATER && held;
        if (i == LOOK_MIDDLE) {
            tally->wide += (said[i].high_ms - said[i].low_ms) / truth;
            tally->middle++;
        }
    }
}

static void most_ranges_hold_the_truth(void **state)
{
    (void)state;
    static const double sigmas[] = {0.05, 0.3, 0.6};
    static const int slots[] = {1, 4, 32};
    struct tally whole = {0};
    for (size_t s = 0; s < sizeof sigmas / sizeof *sigmas; s++)
        for (size_t h = 0; h < sizeof slots / sizeof *slots; h++)
            for (int frames = 100; frames <= 1000; frames += 900) {
                const struct kind kind = {frames, slots[h], sigmas[s], 2.0};
                struct tally tally = {0};
                for (int i = 0; i < RUNS; i++)
                    follow(&kind, &tally);
                assert_true(tally.later_held >= HOLDS_EACH * tally.later);
                whole.held += tally.held;
                whole.all += tally.all;
                whole.wide += tally.wide;
                whole.middle += tally.middle;
            }
    assert_true(whole.held >= HOLDS * whole.all);
    /* And not by being so wide that it says nothing. */
    assert_true(whole.wide / whole.middle < 0.7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(most_ranges_hold_the_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
