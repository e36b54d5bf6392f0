/* SPDX-License-Identifier: Apache-2.0
 *
 * What agents report of their leases: results, progress, ends; and reports
 * that count no more.
 */
#include <stdio.h>
#include <string.h>

#include "broker/core/core_internal.h"
#include "tests/unit/core_farm.h"

/* One agent with one slot and a batch of five of this job. */
static struct job *begin(struct farm *farm, struct hand *hand,
                         const char *frames)
{
    hand_init(hand, "a", 1);
    hand_join(farm, hand);
    struct job *job = farm_job(farm, "job", frames);
    hand_take(farm, hand);
    return job;
}

static void result_counts_once(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "10-30x2");
    hand_render(&hand, 0, 10, 12);
    hand.results[0][1].ms = 2500;
    hand.results[0][1].files = "[{\"path\":\"x\"}]";
    hand_say(farm, &hand);
    const struct event *done = farm_event(farm, EVENT_DONE, 1);
    assert_int_equal(farm_count(farm, EVENT_DONE), 2);
    assert_run(done, 1, 2);
    assert_int_equal(done->number, 2500);
    assert_string_equal(done->text, "[{\"path\":\"x\"}]");
    assert_string_equal(done->detail, "3.4.1");
    assert_string_equal(done->agent, "a");
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_DONE), 0);
    assert_int_equal(job->in[FRAME_DONE].count, 2);
    assert_int_equal(job->in[FRAME_LEASED].count, 3);
    assert_int_equal(job->times.max_ms, 2500);
}

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"

/* As nodes tell of the .blend, beside their first file. */
static void versions_are_noted(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    hand_render(&hand, 0, 1, 5);
    hand.results[0][0].files =
        "[{\"path\":\"\\\"blend_sha256\\\":\\\"" SUM "0\\\"\"}]";
    hand.results[0][1].files = "[{\"blend_sha256\":\"" SUM "1\"}]";
    hand.results[0][2].files = "[{\"blend_sha256\":\"" SUM "g\"}]";
    hand.results[0][3].files = "[{\"blend_sha256\":\"" SUM "2\"}]";
    hand.results[0][4].files = "[{\"blend_sha256\":\"" SUM "1\"}]";
    hand_say(farm, &hand);
    assert_string_equal(job->versions->name, SUM "1");
    assert_string_equal(job->versions->next->name, SUM "2");
    assert_null(job->versions->next->next);
}

/* LIMIT_VERSIONS, and through the text in which an ended job keeps them. */
static void so_many_versions_are_noted(void **state)
{
    char files[128];
    struct arena arena = {0};
    struct job job = {0}, again = {0};
    (void)state;
    for (int i = 0; i < LIMIT_VERSIONS + 1; i++) {
        snprintf(files, sizeof files, "[{\"blend_sha256\":\"%064x\"}]", i);
        versions_note(&job, files);
    }
    versions_note(&job, "[{\"blend_sha256\":\"" SUM);
    versions_note(&job, NULL);
    versions_take(&again, versions_text(&job, &arena));
    const struct agent_name *one = job.versions, *other = again.versions;
    for (int i = 0; i < LIMIT_VERSIONS; i++) {
        snprintf(files, sizeof files, "%064x", i);
        assert_string_equal(one->name, files);
        assert_string_equal(other->name, files);
        one = one->next;
        other = other->next;
    }
    assert_null(one);
    assert_null(other);
    versions_take(&again, "");
    assert_null(again.versions);
    names_free(&job.versions);
    arena_done(&arena);
}

static void assert_ack(const struct msg_ack *ack, int32_t from, int32_t to)
{
    assert_int_equal(ack->from, from);
    assert_int_equal(ack->to, to);
}

static void results_are_acknowledged_in_runs(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "10-30x2");
    hand_render(&hand, 0, 10, 12);
    hand_render(&hand, 0, 16, 18);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_ACKED), 1);
    const struct msg_acks *acks = &farm_event(farm, EVENT_ACKED, 0)->acks;
    assert_int_equal(acks->n, 2);
    assert_ack(&acks->at[0], 10, 12);
    assert_ack(&acks->at[1], 16, 18);
    assert_false(acks->at[1].closed);
}

static void result_of_a_foreign_frame_is_nothing(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "10-30x2");
    hand_render(&hand, 0, 28, 28); /* of the job, not of the lease */
    hand_render(&hand, 0, 11, 11); /* not of the job */
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_DONE), 0);
    assert_int_equal(job->in[FRAME_DONE].count, 0);
}

static void done_frees_the_slot_and_closes(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-20");
    hand_finish(farm, &hand, 0);
    assert_int_equal(farm_event(farm, EVENT_RELEASED, 0)->fault, FAULT_NONE);
    assert_int_equal(farm_count(farm, EVENT_ACKED), 1);
    assert_true(farm_event(farm, EVENT_ACKED, 0)->acks.at[0].closed);
    assert_ack(&farm_event(farm, EVENT_ACKED, 0)->acks.at[0], 1, 0);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 5, 10);
}

static void stopped_gives_back_what_is_left(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    hand_render(&hand, 0, 1, 2);
    hand_end(&hand, 0, LEASE_STOPPED, FAULT_NONE, -1);
    hand_say(farm, &hand);
    assert_int_equal(job->in[FRAME_DONE].count, 2);
    assert_null(job->attempts);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 2, 5);
}

static void progress_is_shown(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct job *job = begin(farm, &hand, "1-5");
    hand.leases[0].frame = 2;
    hand.leases[0].permille = 300;
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_PROGRESS), 1);
    assert_int_equal(job->leases->frame, 2);
    assert_int_equal(job->leases->permille, 300);
    int64_t since_ms = job->leases->frame_since_ms;
    farm_tick(farm, 500);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_PROGRESS), 0);
    hand.leases[0].permille = 400;
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_PROGRESS), 1);
    assert_int_equal(job->leases->frame_since_ms, since_ms);
}

/* Its last picture is there and Blender about to end: no order to stop. */
static void lease_that_ends_by_itself_is_let_be(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    begin(farm, &a, "1-10");
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    hand_render(&a, 0, 1, 5);
    hand_say(farm, &a);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 0);
    hand_render(&b, 0, 6, 6);
    hand_say(farm, &b);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 0);
    hand_say(farm, &a);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 0);
}

/* --- Reports that count no more. --- */

static void stale_state_changes_nothing(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    struct hand old = hand;
    hand_say(farm, &hand);
    old.state.leases = old.leases;
    hand_render(&old, 0, 1, 5);
    hand_say(farm, &old); /* the seq of the last one again */
    assert_int_equal(farm->out.n, 0);
}

/* An agent that was away too long: its lease went to another. */
static void superseded(struct farm *farm, struct hand *a, struct hand *b)
{
    begin(farm, a, "1-5");
    farm_tick(farm, 4000);
    hand_say(farm, a);
    hand_init(b, "b", 1);
    hand_join(farm, b);
    farm_tick(farm, 13000);
    hand_say(farm, b);
    farm_tick(farm, 3000);
    assert_int_equal(hand_take(farm, b), 1);
}

static void superseded_lease_is_stopped(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    superseded(farm, &a, &b);
    hand_render(&a, 0, 1, 2);
    hand_say(farm, &a);
    assert_int_equal(farm_count(farm, EVENT_DONE), 0);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
    /* It may drop its results: it needs the room for those that count. */
    assert_ack(&farm_event(farm, EVENT_ACKED, 0)->acks.at[0], 1, 2);
    a.leases[0].status = LEASE_STOPPING;
    hand_say(farm, &a);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 0);
}

static void superseded_end_is_closed_uncounted(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    superseded(farm, &a, &b);
    hand_render(&a, 0, 1, 2);
    hand_end(&a, 0, LEASE_FAILED, FAULT_CRASH, 3);
    hand_say(farm, &a);
    assert_int_equal(farm_count(farm, EVENT_DONE), 0);
    assert_int_equal(farm_count(farm, EVENT_CHARGED), 0);
    assert_int_equal(farm_count(farm, EVENT_ACKED), 1);
    assert_true(farm_event(farm, EVENT_ACKED, 0)->acks.at[0].closed);
    assert_int_equal(b.state.n_leases, 1);
    hand_finish(farm, &b, 0);
    assert_int_equal(farm_count(farm, EVENT_DONE), 5);
}

static void lease_of_another_agent_is_not_touched(void **state)
{
    struct farm *farm = *state;
    struct hand a, thief;
    const struct job *job = begin(farm, &a, "1-5");
    hand_init(&thief, "thief", 1);
    thief.leases[0] = a.leases[0];
    thief.leases[0].results = thief.results[0];
    thief.state.n_leases = 1;
    hand_render(&thief, 0, 1, 5);
    hand_end(&thief, 0, LEASE_DONE, FAULT_NONE, -1);
    hand_say(farm, &thief);
    assert_int_equal(farm_count(farm, EVENT_DONE), 0);
    assert_int_equal(job->in[FRAME_LEASED].count, 5);
}

static void lease_that_never_was_is_stopped(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    begin(farm, &hand, "1-5");
    hand.leases[0].lease = LEASE_ID(1, 77);
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 1);
    assert_int_equal(farm_event(farm, EVENT_REVOKED, 0)->lease,
                     LEASE_ID(1, 77));
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(result_counts_once),
        TEST(versions_are_noted),
        TEST(so_many_versions_are_noted),
        TEST(results_are_acknowledged_in_runs),
        TEST(result_of_a_foreign_frame_is_nothing),
        TEST(done_frees_the_slot_and_closes),
        TEST(stopped_gives_back_what_is_left),
        TEST(progress_is_shown),
        TEST(lease_that_ends_by_itself_is_let_be),
        TEST(stale_state_changes_nothing),
        TEST(superseded_lease_is_stopped),
        TEST(superseded_end_is_closed_uncounted),
        TEST(lease_of_another_agent_is_not_touched),
        TEST(lease_that_never_was_is_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
