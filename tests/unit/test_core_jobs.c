/* SPDX-License-Identifier: Apache-2.0
 *
 * What people do to jobs: submit, cancel, patch, forget; when a job may begin;
 * what its status is.
 */
#include <string.h>

#include "broker/core/state.h"
#include "tests/unit/core_farm.h"

/* --- Submit. --- */

static void submit_waits_for_its_commit(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    struct job_spec spec = farm_spec(farm, "job", "1-20");
    struct cmd cmd = {.type = CMD_SUBMIT, .spec = &spec};
    assert_int_equal(farm_do(farm, &cmd), RC_OK);
    assert_int_equal(farm_count(farm, EVENT_SUBMITTED), 1);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    farm_tick(farm, 1000);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    farm_commit(farm);
    assert_int_equal(farm_count(farm, EVENT_OPENED), 1);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 0, 5);
    assert_int_equal(farm_count(farm, EVENT_STARTED), 1);
    frames_free(&spec.frames);
}

static void submit_is_refused(void **state)
{
    struct farm *farm = *state;
    struct job_spec spec = farm_spec(farm, "job", "1-20");
    struct cmd cmd = {.type = CMD_SUBMIT, .spec = &spec};
    const char *nobody[] = {"nobody-has-this-id"};
    spec.depends = nobody;
    spec.n_depends = 1;
    assert_int_equal(farm_do(farm, &cmd), RC_INVALID);
    assert_non_null(strstr(farm->why, "nobody-has-this-id"));
    spec.n_depends = 0;
    assert_int_equal(farm_do(farm, &cmd), RC_OK);
    assert_int_equal(farm_do(farm, &cmd), RC_CONFLICT);
    farm->core->options.jobs_max = 1;
    struct job_spec other = farm_spec(farm, "other", "1");
    cmd.spec = &other;
    assert_int_equal(farm_do(farm, &cmd), RC_TOO_MANY);
    frames_free(&spec.frames);
    frames_free(&other.frames);
}

static void job_runs_to_its_end(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    const struct job *job = farm_job(farm, "job", "1-10");
    assert_int_equal(hand_take(farm, &hand), 1);
    assert_int_equal(job_status(job), JOB_RUNNING);
    hand_finish(farm, &hand, 0);
    assert_int_equal(farm_count(farm, EVENT_DONE), 5);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
    assert_int_equal(hand_take(farm, &hand), 1);
    hand_finish(farm, &hand, 0);
    assert_int_equal(farm_count(farm, EVENT_ENDED), 1);
    assert_int_equal(job_status(job), JOB_COMPLETED);
    assert_int_equal(job->times.n, 10);
    assert_int_equal(job->ended_ms, farm->now_ms);
}

static void unknown_jobs_are_not_found(void **state)
{
    struct farm *farm = *state;
    static const enum cmd_type types[] = {CMD_CANCEL, CMD_RETRY, CMD_PATCH,
                                          CMD_FORGET};
    struct job nobody = {.id = (char[]){"nobody-has-this-id"}};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        assert_int_equal(farm_ask(farm, types[i], &nobody, NULL, ""),
                         RC_NOT_FOUND);
}

/* --- Cancel. --- */

static void cancel_stops_what_runs(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    const struct job *job = farm_job(farm, "job", "1-20");
    hand_take(farm, &hand);
    assert_int_equal(farm_ask(farm, CMD_CANCEL, job, NULL, "enough"), RC_OK);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
    assert_int_equal(farm_count(farm, EVENT_ENDED), 1);
    assert_int_equal(job_status(job), JOB_CANCELLED);
    assert_string_equal(job->reason, "enough");
    assert_int_equal(farm_ask(farm, CMD_CANCEL, job, NULL, "again"), RC_OK);
    assert_int_equal(farm->out.n, 0);
}

static void cancel_of_completed_job_is_refused(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    const struct job *job = farm_job(farm, "job", "1-5");
    hand_take(farm, &hand);
    hand_finish(farm, &hand, 0);
    assert_int_equal(farm_ask(farm, CMD_CANCEL, job, NULL, ""), RC_CONFLICT);
    assert_int_equal(farm_ask(farm, CMD_CANCEL, job, "1-3", ""), RC_OK);
    assert_int_equal(farm->out.n, 0);
}

static void cancel_of_foreign_frames_is_refused(void **state)
{
    struct farm *farm = *state;
    const struct job *job = farm_job(farm, "job", "1-9x2");
    assert_int_equal(farm_ask(farm, CMD_CANCEL, job, "2", ""), RC_INVALID);
    assert_non_null(strstr(farm->why, "1 of them is not"));
    assert_int_equal(farm_ask(farm, CMD_CANCEL, job, "1-10", ""), RC_INVALID);
    assert_int_equal(farm_ask(farm, CMD_CANCEL, job, "1-9x2", ""), RC_OK);
}

static void cancel_of_a_tail_trims(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    const struct job *job = farm_job(farm, "job", "1-5");
    hand_take(farm, &hand);
    assert_int_equal(farm_ask(farm, CMD_CANCEL, job, "4-5", ""), RC_OK);
    const struct event *trim = farm_event(farm, EVENT_TRIMMED, 0);
    assert_non_null(trim);
    assert_int_equal(trim->number, 3);
    /* Said again while the STATE does not show it. */
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_TRIMMED), 1);
    hand.leases[0].to = 3;
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_TRIMMED), 0);
    assert_run(farm_event(farm, EVENT_SHORTENED, 0), 3, 5);
    hand_finish(farm, &hand, 0);
    assert_int_equal(job_status(job), JOB_CANCELLED);
    assert_int_equal(job->in[FRAME_DONE].count, 3);
}

static void cancel_of_a_tail_needs_a_node_that_can(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand.state.node.can_trim = false;
    hand_join(farm, &hand);
    const struct job *job = farm_job(farm, "job", "1-5");
    hand_take(farm, &hand);
    farm_ask(farm, CMD_CANCEL, job, "4-5", "");
    assert_int_equal(farm_count(farm, EVENT_TRIMMED), 0);
    /* What is rendered all the same does not count. */
    hand_finish(farm, &hand, 0);
    assert_int_equal(job->in[FRAME_DONE].count, 3);
    assert_int_equal(job->in[FRAME_CANCELLED].count, 2);
}

static void cancel_in_front_orders_nothing(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    const struct job *job = farm_job(farm, "job", "1-5");
    hand_take(farm, &hand);
    farm_ask(farm, CMD_CANCEL, job, "1-2", "");
    assert_int_equal(farm_count(farm, EVENT_TRIMMED), 0);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 0);
}

static void shortened_tail_is_pending_again(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    const struct job *job = farm_job(farm, "job", "1-5");
    hand_take(farm, &hand);
    hand.leases[0].to = 2; /* by its own will, as when leaving */
    hand_say(farm, &hand);
    assert_run(farm_event(farm, EVENT_SHORTENED, 0), 2, 5);
    assert_int_equal(job->in[FRAME_PENDING].count, 3);
}

static void revoke_is_repeated_until_it_is_heard(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    const struct job *job = farm_job(farm, "job", "1-5");
    hand_take(farm, &hand);
    farm_ask(farm, CMD_CANCEL, job, NULL, "");
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
    hand.leases[0].status = LEASE_STOPPING;
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 0);
}

/* --- Patch. --- */

static void patch_that_changes_nothing_is_no_event(void **state)
{
    struct farm *farm = *state;
    const struct job *job = farm_job(farm, "job", "1-5");
    struct cmd_patch patch = {.has_priority = true, .priority = 50};
    assert_int_equal(farm_patch(farm, job, &patch), RC_OK);
    assert_int_equal(farm->out.n, 0);
}

static void pause_holds_what_is_pending(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    const struct job *job = farm_job(farm, "job", "1-10");
    struct cmd_patch patch = {.has_paused = true, .paused = true};
    hand_take(farm, &hand);
    farm_patch(farm, job, &patch);
    assert_int_equal(job_status(job), JOB_PAUSED);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 0);
    hand_finish(farm, &hand, 0);
    assert_int_equal(farm_count(farm, EVENT_DONE), 5);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    patch.paused = false;
    farm_patch(farm, job, &patch);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 5, 10);
}

/* --- When a job may begin. --- */

static void not_before_is_waited_for(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    struct job_spec spec = farm_spec(farm, "job", "1-5");
    spec.not_before_ms = farm->now_ms + 1500;
    farm_submit(farm, &spec);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    assert_true(core_next(farm->core) <= farm->now_ms + 1500);
    farm_tick(farm, 1499);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    assert_true(core_next(farm->core) <= farm->now_ms + 1);
    farm_tick(farm, 1);
    assert_int_equal(farm_count(farm, EVENT_OPENED), 1);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

static struct job *dependent(struct farm *farm, const struct job *first)
{
    struct job_spec spec = farm_spec(farm, "second", "1-5");
    const char *depends[] = {first->id};
    spec.depends = depends;
    spec.n_depends = 1;
    return farm_submit(farm, &spec);
}

static void job_waited_for_lets_it_begin(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 2);
    hand_join(farm, &hand);
    const struct job *first = farm_job(farm, "first", "1-5");
    hand_take(farm, &hand);
    const struct job *second = dependent(farm, first);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    assert_int_equal(second->place, PLACE_HELD);
    hand_finish(farm, &hand, 0);
    assert_int_equal(farm_count(farm, EVENT_OPENED), 1);
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->job, second->id);
}

static void drain(struct farm *farm, enum drain drain)
{
    struct cmd cmd = {
        .type = CMD_DRAIN, .agent = "a", .number = (int32_t)drain};
    assert_int_equal(farm_do(farm, &cmd), RC_OK);
}

/* It was complete, and is not any more: what has not begun waits again. */
static void job_that_is_retried_is_waited_for_again(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    const struct job *first = farm_job(farm, "first", "1-5");
    hand_take(farm, &hand);
    const struct job *second = dependent(farm, first);
    drain(farm, DRAIN_SOFT);
    hand_finish(farm, &hand, 0);
    assert_int_equal(second->place, PLACE_QUEUE);
    farm_ask(farm, CMD_RETRY, first, "1", "");
    assert_int_equal(second->place, PLACE_HELD);
    drain(farm, DRAIN_OFF);
    assert_int_equal(second->place, PLACE_HELD);
}

static void job_that_failed_is_waited_for_until_forgotten(void **state)
{
    struct farm *farm = *state;
    const struct job *first = farm_job(farm, "first", "1-5");
    const struct job *second = dependent(farm, first);
    farm_ask(farm, CMD_CANCEL, first, NULL, "");
    farm_tick(farm, 1000);
    assert_int_equal(second->place, PLACE_HELD);
    farm_ask(farm, CMD_FORGET, first, NULL, "");
    assert_int_equal(second->place, PLACE_QUEUE);
}

/* --- Forget. --- */

static void forget_wants_an_ended_job(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    const struct job *job = farm_job(farm, "job", "1-5");
    hand_take(farm, &hand);
    assert_int_equal(farm_ask(farm, CMD_FORGET, job, NULL, ""), RC_CONFLICT);
    farm_ask(farm, CMD_CANCEL, job, NULL, "");
    assert_int_equal(farm_ask(farm, CMD_FORGET, job, NULL, ""), RC_OK);
    assert_int_equal(farm->core->n_jobs, 0);
    assert_null(farm->core->leases);
    /* The agent has not heard yet. */
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
    hand_end(&hand, 0, LEASE_STOPPED, FAULT_NONE, -1);
    hand_say(farm, &hand);
    assert_true(farm_event(farm, EVENT_ACKED, 0)->acks.at[0].closed);
}

static void last_job_of_a_user_takes_it_along(void **state)
{
    struct farm *farm = *state;
    const struct job *first = farm_job(farm, "first", "1");
    const struct job *second = farm_job(farm, "second", "1");
    farm_ask(farm, CMD_CANCEL, first, NULL, "");
    farm_ask(farm, CMD_FORGET, first, NULL, "");
    assert_non_null(farm->core->users);
    farm_ask(farm, CMD_CANCEL, second, NULL, "");
    farm_ask(farm, CMD_FORGET, second, NULL, "");
    assert_null(farm->core->users);
}

static void key_belongs_to_the_youngest(void **state)
{
    struct farm *farm = *state;
    struct job_spec spec = farm_spec(farm, "old", "1");
    spec.key = "k";
    struct job *old = farm_submit(farm, &spec);
    assert_ptr_equal(job_find_key(farm->core, "k"), old);
    spec = farm_spec(farm, "young", "1");
    spec.key = "k";
    struct job *young = farm_submit(farm, &spec);
    assert_ptr_equal(job_find_key(farm->core, "k"), young);
    farm_ask(farm, CMD_CANCEL, old, NULL, "");
    farm_ask(farm, CMD_FORGET, old, NULL, "");
    assert_ptr_equal(job_find_key(farm->core, "k"), young);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(submit_waits_for_its_commit),
        TEST(submit_is_refused),
        TEST(job_runs_to_its_end),
        TEST(unknown_jobs_are_not_found),
        TEST(cancel_stops_what_runs),
        TEST(cancel_of_completed_job_is_refused),
        TEST(cancel_of_foreign_frames_is_refused),
        TEST(cancel_of_a_tail_trims),
        TEST(cancel_of_a_tail_needs_a_node_that_can),
        TEST(cancel_in_front_orders_nothing),
        TEST(shortened_tail_is_pending_again),
        TEST(revoke_is_repeated_until_it_is_heard),
        TEST(patch_that_changes_nothing_is_no_event),
        TEST(pause_holds_what_is_pending),
        TEST(not_before_is_waited_for),
        TEST(job_waited_for_lets_it_begin),
        TEST(job_that_is_retried_is_waited_for_again),
        TEST(job_that_failed_is_waited_for_until_forgotten),
        TEST(forget_wants_an_ended_job),
        TEST(last_job_of_a_user_takes_it_along),
        TEST(key_belongs_to_the_youngest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
