/* SPDX-License-Identifier: Apache-2.0
 *
 * The way back from the ledger, and the tables everything stands on: frame
 * states, events, frame times.
 */
#include <string.h>

#include "broker/core/core_internal.h"
#include "tests/unit/core_farm.h"

/* --- Replay. --- */

static void busy_day(struct farm *farm, struct hand *hand)
{
    hand_init(hand, "a", 2);
    hand_join(farm, hand);
    struct job *job = farm_job(farm, "job", "1-30");
    struct cmd_patch patch = {.has_priority = true, .priority = 70};
    hand_take(farm, hand);
    hand_render(hand, 0, 1, 2);
    hand_end(hand, 0, LEASE_FAILED, FAULT_CRASH, 3);
    hand_say(farm, hand);
    hand_drop(hand, 0);
    hand_take(farm, hand);
    hand_finish(farm, hand, 0);
    hand_take(farm, hand);
    farm_ask(farm, CMD_CANCEL, job, "20-25", "");
    farm_ask(farm, CMD_RETRY, job, "1,20", "a");
    farm_patch(farm, job, &patch);
    farm_drain(farm, "a", DRAIN_SOFT, farm->now_ms + 60000);
}

static void replay_gives_the_same_farm(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    busy_day(farm, &hand);
    uint64_t digest = core_digest(farm->core);
    farm_restart(farm, 0);
    assert_int_equal(core_digest(farm->core), digest);
    const struct job *job = farm->core->jobs;
    assert_int_equal(job->priority, 70);
    assert_int_equal(job->redo.count, 1);
    assert_string_equal(job->avoid, "a");
    assert_int_equal(job->attempts->ordinal, 2);
    assert_int_equal(agent_find(farm->core, "a")->done, 7);
}

static void digest_leaves_leases_out(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    farm_job(farm, "job", "1-30");
    uint64_t digest = core_digest(farm->core);
    hand_join(farm, &hand);
    assert_int_equal(farm->core->totals[FRAME_LEASED], 5);
    assert_int_equal(core_digest(farm->core), digest);
    hand_render(&hand, 0, 1, 1);
    hand_say(farm, &hand);
    assert_int_not_equal(core_digest(farm->core), digest);
}

static void forgotten_job_is_not_replayed(void **state)
{
    struct farm *farm = *state;
    const struct job *job = farm_job(farm, "job", "1-30");
    farm_ask(farm, CMD_CANCEL, job, NULL, "");
    farm_ask(farm, CMD_FORGET, job, NULL, "");
    farm_restart(farm, 0);
    assert_int_equal(farm->core->n_jobs, 0);
}

/* The clock was years ahead and was set right: time goes on from there. */
static void clock_set_back_between_two_lives(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    farm_job(farm, "job", "1-30");
    assert_int_equal(farm->core->totals[FRAME_LEASED], 5);
    farm_commit(farm);
    farm->now_ms -= 500000;
    farm_restart(farm, 0);
    farm_tick(farm, FARM_TTL_MS);
    assert_int_equal(farm->core->totals[FRAME_LEASED], 0);
}

#define JOB   "job-aaaaaaaaaaaaaaaa"
#define OTHER "other-aaaaaaaaaaaaaaaa"

#define LEASE LEASE_ID(1, 1)

/* Events that do not fit a farm with two jobs, of which a has a lease. seq 0
 * stands for the next one. */
static const struct misfit {
    struct event event;
    const char *why;
} misfits[] = {
    {{.type = EVENT_PATCHED, .job = JOB, .seq = 1}, "out of order"},
    {{.type = EVENT_PROGRESS, .job = JOB}, "not belong"},
    {{.type = EVENT_SUBMITTED, .job = "new"}, "exists"},
    {{.type = EVENT_PATCHED, .job = "x"}, "unknown job"},
    {{.type = EVENT_PATCHED}, "unknown job"},
    {{.type = EVENT_DRAINED}, "no agent"},
    {{.type = EVENT_BENCHED, .job = JOB, .agent = "a", .number = 3},
     "failed too little"},
    {{.type = EVENT_DONE, .job = JOB, .hi = 1}, "no agent"},
    {{.type = EVENT_DONE, .job = JOB, .agent = "a", .lo = 30, .hi = 31},
     "does not have"},
    {{.type = EVENT_CHARGED, .job = JOB, .lo = -1, .hi = 0}, "does not have"},
    {{.type = EVENT_LEASED, .job = JOB, .agent = "a", .lo = 5, .hi = 5},
     "does not have"},
    {{.type = EVENT_LEASED, .job = JOB, .agent = "a", .lease = LEASE, .hi = 5},
     "twice"},
    {{.type = EVENT_LEASED,
      .job = JOB,
      .agent = "a",
      .lease = LEASE_ID(1, 0),
      .hi = 5},
     "of no broker"},
    {{.type = EVENT_CANCELLED, .job = JOB, .frames = &(struct ranges){0}},
     "does not have"},
    {{.type = EVENT_RETRIED,
      .job = JOB,
      .frames =
          &(struct ranges){
              .at = &(struct range){0, 31}, .n = 1, .cap = 1, .count = 31}},
     "does not have"},
    {{.type = EVENT_FAILED, .job = JOB}, "does not have"},
    {{.type = EVENT_RELEASED, .job = OTHER, .lease = LEASE}, "another job's"},
    {{.type = EVENT_SHORTENED, .job = JOB, .lease = LEASE}, "to nothing"},
};

static void misfits_are_refused(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    farm_job(farm, "job", "1-30");
    farm_job(farm, "other", "1-30");
    uint64_t digest = core_digest(farm->core), seq = farm->core->seq;
    for (size_t i = 0; i < sizeof misfits / sizeof *misfits; i++) {
        struct event event = misfits[i].event;
        if (event.seq == 0)
            event.seq = seq + 1;
        assert_false(
            core_replay(farm->core, &event, farm->why, sizeof farm->why));
        print_message("%s\n", farm->why);
        assert_non_null(strstr(farm->why, misfits[i].why));
        assert_int_equal(core_digest(farm->core), digest);
        assert_int_equal(farm->core->seq, seq);
    }
    core_check(farm->core);
}

static void second_submission_of_a_job_is_a_misfit(void **state)
{
    struct farm *farm = *state;
    farm_job(farm, "job", "1-30");
    struct job_spec spec = farm_spec(farm, "job", "1-30");
    struct event event = {.type = EVENT_SUBMITTED,
                          .seq = farm->core->seq + 1,
                          .job = JOB,
                          .spec = &spec};
    assert_false(core_replay(farm->core, &event, farm->why, sizeof farm->why));
    assert_non_null(strstr(farm->why, "exists"));
    frames_free(&spec.frames);
}

/* Its lease may be of a job that was forgotten, and is not in the ledger any
 * more. */
static void end_of_a_lease_that_is_not_there_is_passed_over(void **state)
{
    struct farm *farm = *state;
    farm_job(farm, "job", "1-30");
    struct event event = {.type = EVENT_RELEASED,
                          .seq = farm->core->seq + 1,
                          .job = JOB,
                          .lease = LEASE_ID(1, 9)};
    assert_true(core_replay(farm->core, &event, farm->why, sizeof farm->why));
    assert_int_equal(farm->core->seq, event.seq);
}

/* --- Tables. --- */

static void states_and_changes(void **state)
{
    (void)state;
    static const enum frame_state table[FRAME_STATES][FRAME_CHANGES] = {
#define NO FRAME_STATES
        /* lease release charge finish fail cancel retry */
        {FRAME_LEASED, NO, FRAME_PENDING, FRAME_DONE, FRAME_FAILED,
         FRAME_CANCELLED, NO},
        {NO, FRAME_PENDING, FRAME_PENDING, FRAME_DONE, FRAME_FAILED,
         FRAME_CANCELLED, NO},
        {NO, NO, NO, NO, NO, NO, FRAME_PENDING},
        {NO, NO, NO, NO, NO, NO, FRAME_PENDING},
        {NO, NO, NO, NO, NO, NO, FRAME_PENDING},
    };
    for (int from = 0; from < FRAME_STATES; from++)
        for (int change = 0; change < FRAME_CHANGES; change++)
            assert_int_equal(
                frame_next((enum frame_state)from, (enum frame_change)change),
                table[from][change]);
    assert_int_equal(frame_letter(FRAME_PENDING), 'q');
    assert_string_equal(frame_word(FRAME_CANCELLED), "cancelled");
}

static void events_have_words_of_their_own(void **state)
{
    (void)state;
    for (int a = 0; a < EVENT_TYPES; a++)
        for (int b = 0; b < a; b++)
            assert_string_not_equal(event_word((enum event_type)a),
                                    event_word((enum event_type)b));
    assert_int_equal(event_keep(EVENT_DONE), EVENT_DURABLE);
    assert_int_equal(event_keep(EVENT_LEASED), EVENT_LAZY);
    assert_int_equal(event_keep(EVENT_HEARD), EVENT_SOFT);
}

static void words_of_states(void **state)
{
    (void)state;
    assert_string_equal(job_status_word(JOB_QUEUED), "queued");
    assert_string_equal(job_status_word(JOB_CANCELLED), "cancelled");
    assert_string_equal(agent_life_word(AGENT_UP), "up");
    assert_string_equal(agent_life_word(AGENT_LOST), "lost");
}

/* --- Frame times. --- */

static void times_of_nothing(void **state)
{
    (void)state;
    struct times times = {0};
    assert_int_equal(times_quantile(&times, 0.5), 0);
    assert_true(times_spread(&times) == 0.3);
    times_free(&times);
}

static void times_have_quantiles(void **state)
{
    (void)state;
    struct times times = {0};
    for (int64_t ms = 1; ms <= 1000; ms++)
        times_add(&times, ms * 10);
    static const struct {
        double q;
        int64_t ms;
    } cases[] = {{0.0, 10}, {0.1, 1000}, {0.5, 5000}, {0.9, 9000}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_in_range(times_quantile(&times, cases[i].q),
                        cases[i].ms * 81 / 100, cases[i].ms * 119 / 100);
    assert_int_equal(times_quantile(&times, 1.0), 10000);
    assert_int_equal(times.max_ms, 10000);
    assert_true(times.mean_ms > 5004.9 && times.mean_ms < 5005.1);
    times_free(&times);
}

static void times_have_a_spread(void **state)
{
    (void)state;
    struct times times = {0};
    times_add(&times, 100);
    times_add(&times, 300);
    assert_true(times_spread(&times) == 0.3); /* too few to tell */
    times_add(&times, 200);
    assert_true(times_spread(&times) > 0.499 && times_spread(&times) < 0.501);
    times_free(&times);
}

static void times_at_both_ends(void **state)
{
    (void)state;
    struct times times = {0};
    times_add(&times, 0);
    assert_int_equal(times_quantile(&times, 0.5), 0);
    times_add(&times, INT32_MAX);
    times_add(&times, INT32_MAX);
    assert_in_range(times_quantile(&times, 1.0), 15000000, INT32_MAX);
    times_free(&times);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(replay_gives_the_same_farm),
        TEST(digest_leaves_leases_out),
        TEST(forgotten_job_is_not_replayed),
        TEST(clock_set_back_between_two_lives),
        TEST(misfits_are_refused),
        TEST(second_submission_of_a_job_is_a_misfit),
        TEST(end_of_a_lease_that_is_not_there_is_passed_over),
        cmocka_unit_test(states_and_changes),
        cmocka_unit_test(events_have_words_of_their_own),
        cmocka_unit_test(words_of_states),
        cmocka_unit_test(times_of_nothing),
        cmocka_unit_test(times_have_quantiles),
        cmocka_unit_test(times_have_a_spread),
        cmocka_unit_test(times_at_both_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
