/* SPDX-License-Identifier: Apache-2.0
 *
 * Who gets what next, and how much of it; and that nobody who could work waits.
 */
#include <stdio.h>
#include <string.h>

#include "tests/unit/core_farm.h"

/* --- Credit. --- */

static void never_more_than_the_slots(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 3);
    hand_join(farm, &hand);
    farm_job(farm, "job", "1-100");
    assert_int_equal(farm_count(farm, EVENT_LEASED), 3);
    /* What is sent and not seen yet uses slots too. */
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    hand.state.dseq = 3; /* all came in; one was refused */
    hand.leases[0] = (struct msg_lease){.lease = LEASE_ID(1, 1),
                                        .job = farm->core->jobs->id,
                                        .from = 1,
                                        .to = 5,
                                        .step = 1,
                                        .frame = -1,
                                        .blamed = -1,
                                        .text = ""};
    hand.leases[1] = hand.leases[0];
    hand.leases[1].lease = LEASE_ID(1, 2);
    hand.leases[1].from = 6;
    hand.leases[1].to = 10;
    hand.state.n_leases = 2;
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_RELEASED), 1);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 10, 15);
}

static void fewer_slots_take_nothing_back(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 2);
    hand_join(farm, &hand);
    farm_job(farm, "job", "1-100");
    assert_int_equal(hand_take(farm, &hand), 2);
    hand.state.slots = 1;
    hand.state.why = "the disk is full";
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_REVOKED), 0);
    assert_string_equal(farm->core->agents->why, "the disk is full");
    hand_finish(farm, &hand, 0);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
}

static void ended_leases_wait_apart_from_slots(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    farm_job(farm, "job", "1-100");
    for (int i = 0; i < 4; i++) {
        assert_int_equal(hand_take(farm, &hand), 1);
        hand_render(&hand, i, hand.leases[i].from, hand.leases[i].to);
        hand_end(&hand, i, LEASE_DONE, FAULT_NONE, -1);
        hand_say(farm, &hand); /* none is acknowledged yet */
    }
    assert_int_equal(farm->core->agents->unacked, 4);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

static void every_agent_gets_one_before_any_gets_two(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    hand_init(&a, "a", 4);
    hand_join(farm, &a);
    hand_init(&b, "b", 4);
    hand_join(farm, &b);
    farm_job(farm, "job", "1-20");
    static const char *const order[] = {"a", "b", "a", "b"};
    assert_int_equal(farm_count(farm, EVENT_LEASED), 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(farm_event(farm, EVENT_LEASED, i)->agent, order[i]);
}

/* --- How much. --- */

struct size_case {
    const char *name;
    int32_t farm_batch, batch; /* the broker's, the job's (-1: the broker's) */
    const char *frames;
    bool classic;
    int32_t first; /* frames of the first batch */
};

static void batches_are_sized(void **state)
{
    struct farm *farm = *state;
    static const struct size_case cases[] = {
        {"fixed", 5, 7, "1-100", false, 7},
        {"the broker's", 5, -1, "1-100", false, 5},
        {"what is left", 5, -1, "1-3", false, 3},
        {"limit", 5, 5000, "1-3000", false, LIMIT_BATCH},
        {"classic limit", 5, 5000, "1-3000", true, LIMIT_CLASSIC_BATCH},
        {"steps", 5, -1, "1-99x2", false, 5},
        {"classic knows no steps", 5, -1, "1-99x2", true, 1},
        {"one span", 5, -1, "1-3,10-99", false, 3},
        {"auto, nobody else", 0, -1, "1-100", false, 100},
        {"auto, one frame", 0, -1, "1", false, 1},
        {"auto in the job", 5, 0, "1-100", false, 100},
    };
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[16];
        snprintf(name, sizeof name, "job%zu", i);
        hand.state.node.classic = cases[i].classic;
        farm->core->options.batch = cases[i].farm_batch;
        hand_say(farm, &hand);
        struct job_spec spec = farm_spec(farm, name, cases[i].frames);
        spec.batch = cases[i].batch;
        const struct job *job = farm_submit(farm, &spec);
        print_message("%s\n", cases[i].name);
        assert_run(farm_event(farm, EVENT_LEASED, 0), 0, cases[i].first);
        hand_take(farm, &hand);
        farm_ask(farm, CMD_CANCEL, job, NULL, "");
        hand_end(&hand, 0, LEASE_STOPPED, FAULT_NONE, -1);
        hand_say(farm, &hand);
        hand_drop(&hand, 0);
    }
}

static void auto_shares_follow_speed(void **state, bool trim, int32_t *ret_a,
                                     int32_t *ret_b)
{
    struct farm *farm = *state;
    struct hand a, b;
    hand_init(&a, "a", 1);
    a.state.node.can_trim = trim;
    hand_join(farm, &a);
    hand_init(&b, "b", 1);
    b.state.node.can_trim = trim;
    hand_join(farm, &b);
    agent_find(farm->core, "b")->speed = 0.5;
    hand_say(farm, &b);
    struct job_spec spec = farm_spec(farm, "job", "1-1000");
    spec.batch = 0;
    farm_submit(farm, &spec);
    const struct event *first = farm_event(farm, EVENT_LEASED, 0);
    const struct event *second = farm_event(farm, EVENT_LEASED, 1);
    *ret_a = first->hi - first->lo;
    *ret_b = second->hi - second->lo;
}

/* Two thirds and one: what is begun late can be given back. */
static void auto_shares_are_whole_where_they_can_shrink(void **state)
{
    int32_t n_a, n_b;
    auto_shares_follow_speed(state, true, &n_a, &n_b);
    assert_in_range(n_a, 660, 667);
    assert_in_range(n_b, 330, 334);
}

static void auto_shares_keep_a_margin_where_they_cannot(void **state)
{
    int32_t n_a, n_b;
    auto_shares_follow_speed(state, false, &n_a, &n_b);
    assert_in_range(n_a, 600, 660);
    assert_in_range(n_b, 300, 330);
}

/* A launch of each slot for a few frames would cost more than it gains while
 * other jobs fill the slots. */
static void short_jobs_are_not_cut_up(void **state)
{
    struct farm *farm = *state;
    static const char *const names[] = {"a", "b", "c", "d"};
    struct hand hands[4];
    for (int i = 0; i < 4; i++) {
        hand_init(&hands[i], names[i], 1);
        hand_join(farm, &hands[i]);
    }
    for (int i = 0; i < 6; i++) {
        char name[8];
        snprintf(name, sizeof name, "job%d", i);
        struct job_spec spec = farm_spec(farm, name, "1-8");
        spec.batch = 0;
        farm_submit(farm, &spec);
        for (int k = 0; k < 4; k++)
            hand_take(farm, &hands[k]);
    }
    hand_render(&hands[0], 0, hands[0].leases[0].from, hands[0].leases[0].to);
    for (size_t i = 0; i < hands[0].leases[0].n_results; i++)
        hands[0].results[0][i].ms = 10;
    hand_end(&hands[0], 0, LEASE_DONE, FAULT_NONE, -1);
    hand_say(farm, &hands[0]);
    const struct event *next = farm_event(farm, EVENT_LEASED, 0);
    assert_int_equal(next->hi - next->lo, 8);
}

/* Of ten that nobody knows one may be many times as slow as the others. */
static void unknown_nodes_get_a_part_first(void **state)
{
    struct farm *farm = *state;
    static struct hand hands[10];
    char name[] = "a";
    for (int i = 0; i < 10; i++, name[0]++) {
        hand_init(&hands[i], name, 1);
        hands[i].state.node.classic = true;
        hands[i].state.node.can_trim = false;
        hand_join(farm, &hands[i]);
    }
    struct job_spec spec = farm_spec(farm, "job", "1-200");
    spec.batch = 0;
    farm_submit(farm, &spec);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 10);
    const struct event *first = farm_event(farm, EVENT_LEASED, 0);
    assert_int_equal(first->hi - first->lo, 5); /* of 20, below 6 */
}

/* Nobody needs its frames any more, but what they took is worth knowing. */
static void pace_of_who_comes_too_late_is_known(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand.state.node.classic = true;
    hand.state.node.can_trim = false;
    hand_join(farm, &hand);
    struct job *job = farm_job(farm, "job", "1-5");
    assert_int_equal(hand_take(farm, &hand), 1);
    farm_ask(farm, CMD_CANCEL, job, NULL, "");
    hand_finish(farm, &hand, 0);
    assert_int_equal(farm_count(farm, EVENT_DONE), 0);
    const struct event *paced = farm_event(farm, EVENT_PACED, 0);
    assert_non_null(paced);
    assert_int_equal(paced->number, hand.results[0][0].ms);
    assert_true(farm->core->agents->paces[0].frames == 1);
}

/* --- Room for who has less than his part. --- */

static const struct event *crowd_with(struct farm *farm, struct hand *hand,
                                      const char *user, int32_t priority,
                                      const char *frames)
{
    hand_init(hand, "a", 2);
    hand_join(farm, hand);
    struct job_spec big = farm_spec(farm, "big", "1-1000");
    big.user = "anna";
    big.batch = 0;
    farm_submit(farm, &big);
    assert_int_equal(hand_take(farm, hand), 2);
    hand->leases[0].frame = hand->leases[0].from;
    hand->leases[1].frame = hand->leases[1].from;
    hand_say(farm, hand);
    struct job_spec small = farm_spec(farm, "small", frames);
    small.user = user;
    small.priority = priority;
    farm_submit(farm, &small);
    return farm_event(farm, EVENT_TRIMMED, 0);
}

static const struct event *crowd(struct farm *farm, struct hand *hand,
                                 const char *user, int32_t priority)
{
    return crowd_with(farm, hand, user, priority, "1-2");
}

static void small_job_waits_for_a_frame_alone(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct event *trim = crowd(farm, &hand, "ben", 50);
    assert_non_null(trim);
    assert_int_equal(farm_count(farm, EVENT_TRIMMED), 1); /* his part */
    int i = trim->lease == hand.leases[0].lease ? 0 : 1;
    assert_int_equal(trim->number, hand.leases[i].frame);
    hand.leases[i].to = hand.leases[i].frame;
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    hand_finish(farm, &hand, i);
    const struct event *next = farm_event(farm, EVENT_LEASED, 0);
    assert_string_equal(job_find(farm->core, next->job)->user, "ben");
}

static void urgent_job_gets_all_slots(void **state)
{
    struct hand hand;
    assert_non_null(crowd(*state, &hand, "anna", 60));
    assert_int_equal(farm_count(*state, EVENT_TRIMMED), 2);
}

static void older_job_of_the_same_user_goes_on(void **state)
{
    struct hand hand;
    assert_null(crowd_with(*state, &hand, "anna", 50, "1-11"));
}

/* A few frames to look at, beside a night's work of the same user. */
static void small_job_of_the_same_user_waits_for_a_frame(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    const struct event *trim = crowd(farm, &hand, "anna", 50);
    assert_non_null(trim);
    assert_int_equal(farm_count(farm, EVENT_TRIMMED), 1); /* half of them */
    int i = trim->lease == hand.leases[0].lease ? 0 : 1;
    hand.leases[i].to = hand.leases[i].frame;
    hand_say(farm, &hand);
    hand_finish(farm, &hand, i);
    const struct event *next = farm_event(farm, EVENT_LEASED, 0);
    assert_string_equal(job_find(farm->core, next->job)->name, "small");
}

/* However many of them come: on one slot the big one has every other turn. */
static void small_jobs_do_not_starve_a_big_one(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    const struct job *big = farm_job(farm, "big", "1-1000");
    static const char *const name[] = {"u", "v", "w", "x", "y", "z"};
    for (int i = 0; i < 6; i++)
        farm_job(farm, name[i], "1-5");
    hand_join(farm, &hand);
    for (int turn = 0; turn < 6; turn++) {
        bool is_big = strcmp(hand.leases[0].job, big->id) == 0;
        assert_int_equal(is_big, turn % 2 == 1);
        hand_finish(farm, &hand, 0);
        assert_int_equal(hand_take(farm, &hand), 1);
    }
}

static void less_urgent_job_waits(void **state)
{
    struct hand hand;
    assert_null(crowd(*state, &hand, "ben", 40));
}

static void charged_frame_is_rendered_alone(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    farm_job(farm, "job", "1-10");
    hand_take(farm, &hand);
    hand_render(&hand, 0, 1, 2);
    hand_end(&hand, 0, LEASE_FAILED, FAULT_CRASH, 3);
    hand_say(farm, &hand);
    hand_drop(&hand, 0);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 2, 3);
    hand_take(farm, &hand);
    hand_finish(farm, &hand, 0);
    assert_run(farm_event(farm, EVENT_LEASED, 0), 3, 8);
}

/* --- In which order. --- */

static void priority_goes_first(void **state)
{
    struct farm *farm = *state;
    struct job_spec spec = farm_spec(farm, "low", "1-20");
    spec.priority = 10;
    farm_submit(farm, &spec);
    const struct job *high = farm_job(farm, "high", "1-20");
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    assert_string_equal(hand.leases[0].job, high->id);
    struct cmd_patch patch = {.has_priority = true, .priority = 5};
    farm_patch(farm, high, &patch);
    hand_finish(farm, &hand, 0);
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->job,
                        "low-aaaaaaaaaaaaaaaa");
}

static void users_take_turns(void **state)
{
    struct farm *farm = *state;
    farm_job(farm, "ann1", "1-20");
    farm_job(farm, "ann2", "1-20");
    struct job_spec spec = farm_spec(farm, "bob1", "1-20");
    spec.user = "bob";
    farm_submit(farm, &spec);
    struct hand hand;
    hand_init(&hand, "a", 4);
    hand_join(farm, &hand);
    static const char *const order[] = {"ann1", "bob1", "ann1", "bob1"};
    for (size_t i = 0; i < 4; i++)
        assert_memory_equal(hand.leases[i].job, order[i], 4);
}

static void older_job_goes_first(void **state)
{
    struct farm *farm = *state;
    const struct job *old = farm_job(farm, "old", "1-20");
    farm_job(farm, "young", "1-20");
    struct cmd_patch pause = {.has_paused = true, .paused = true};
    farm_patch(farm, old, &pause);
    pause.paused = false;
    farm_patch(farm, old, &pause); /* enters the queue behind young */
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    assert_string_equal(hand.leases[0].job, old->id);
}

static void max_agents_caps_a_job(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    hand_init(&a, "a", 2);
    hand_join(farm, &a);
    hand_init(&b, "b", 2);
    hand_join(farm, &b);
    struct job_spec spec = farm_spec(farm, "job", "1-100");
    spec.max_agents = 1;
    const struct job *job = farm_submit(farm, &spec);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 2);
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->agent, "a");
    assert_string_equal(farm_event(farm, EVENT_LEASED, 1)->agent, "a");
    struct cmd_patch patch = {.has_max_agents = true, .max_agents = 2};
    farm_patch(farm, job, &patch);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 2);
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->agent, "b");
}

/* The one agent of a capped job gives it up without having room itself. */
static void capped_job_goes_on_elsewhere(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    hand_init(&a, "a", 1);
    hand_join(farm, &a);
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    struct job_spec spec = farm_spec(farm, "job", "1-100");
    spec.max_agents = 1;
    farm_submit(farm, &spec);
    hand_take(farm, &a);
    a.state.slots = 0;
    hand_say(farm, &a);
    hand_finish(farm, &a, 0);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->agent, "b");
}

/* --- Which machine. --- */

/* An agent that says other tags than before is another one for jobs. */
static void other_tags_find_work(void **state)
{
    static const char *const tags[] = {"fast"};
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    struct job_spec spec = farm_spec(farm, "tags", "1");
    spec.tags = tags;
    spec.n_tags = 1;
    farm_submit(farm, &spec);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    hand.state.tags = tags;
    hand.state.n_tags = 1;
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

static void machine_must_fit(void **state)
{
    struct farm *farm = *state;
    static const char *const tags[] = {"fast", "linux"};
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand.state.tags = tags;
    hand.state.n_tags = 1;
    hand_join(farm, &hand);
    struct job_spec specs[] = {
        farm_spec(farm, "tags", "1"), farm_spec(farm, "memory", "1"),
        farm_spec(farm, "gpu", "1"), farm_spec(farm, "blender", "1")};
    specs[0].tags = tags;
    specs[0].n_tags = 2;
    specs[1].memory_mb = 16001;
    specs[2].gpu = true;
    specs[3].blender = "4.";
    for (size_t i = 0; i < 4; i++) {
        farm_submit(farm, &specs[i]);
        assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    }
    struct job_spec spec = farm_spec(farm, "fits", "1");
    spec.tags = tags;
    spec.n_tags = 1;
    spec.memory_mb = 16000;
    spec.blender = "3.4";
    farm_submit(farm, &spec);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

/* A node that comes back with another Blender is offered what waits for it. */
static void changed_machine_is_looked_at_again(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    struct job_spec spec = farm_spec(farm, "job", "1");
    spec.blender = "4.";
    farm_submit(farm, &spec);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    hand.state.node.blender = "4.0.2";
    hand_say(farm, &hand);
    assert_int_equal(farm_count(farm, EVENT_AGENT), 1);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

/* --- Whom a frame is spared. --- */

static void crash_first_frame(struct farm *farm, struct hand *hand)
{
    hand_end(hand, 0, LEASE_FAILED, FAULT_CRASH, hand->leases[0].from);
    hand_say(farm, hand);
    hand_drop(hand, 0);
}

static void frame_goes_to_one_that_has_not_failed_it(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    hand_init(&a, "a", 1);
    hand_join(farm, &a);
    hand_init(&b, "b", 1);
    hand_join(farm, &b);
    struct job_spec spec = farm_spec(farm, "job", "1");
    farm_submit(farm, &spec);
    hand_take(farm, &a);
    crash_first_frame(farm, &a);
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->agent, "b");
    hand_take(farm, &b);
    crash_first_frame(farm, &b);
    /* Both have failed it: whoever has room. */
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
}

static void farm_of_one_tries_again(void **state)
{
    struct farm *farm = *state;
    struct hand a;
    hand_init(&a, "a", 1);
    hand_join(farm, &a);
    struct job_spec spec = farm_spec(farm, "job", "1");
    farm_submit(farm, &spec);
    hand_take(farm, &a);
    crash_first_frame(farm, &a);
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->agent, "a");
}

/* Whom the frame was kept for is drained: the other one is asked again. */
static void spared_agent_is_asked_when_others_go(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    hand_init(&a, "a", 1);
    hand_join(farm, &a);
    struct job_spec spec = farm_spec(farm, "job", "1");
    farm_submit(farm, &spec);
    hand_take(farm, &a);
    hand_init(&b, "b", 1);
    hand_say(farm, &b); /* has no lane yet */
    crash_first_frame(farm, &a);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 0);
    farm_drain(farm, "b", DRAIN_SOFT, 0);
    assert_int_equal(farm_count(farm, EVENT_LEASED), 1);
    assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->agent, "a");
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(never_more_than_the_slots),
        TEST(other_tags_find_work),
        TEST(fewer_slots_take_nothing_back),
        TEST(ended_leases_wait_apart_from_slots),
        TEST(every_agent_gets_one_before_any_gets_two),
        TEST(batches_are_sized),
        TEST(auto_shares_are_whole_where_they_can_shrink),
        TEST(auto_shares_keep_a_margin_where_they_cannot),
        TEST(short_jobs_are_not_cut_up),
        TEST(unknown_nodes_get_a_part_first),
        TEST(pace_of_who_comes_too_late_is_known),
        TEST(small_job_waits_for_a_frame_alone),
        TEST(urgent_job_gets_all_slots),
        TEST(older_job_of_the_same_user_goes_on),
        TEST(small_job_of_the_same_user_waits_for_a_frame),
        TEST(small_jobs_do_not_starve_a_big_one),
        TEST(less_urgent_job_waits),
        TEST(charged_frame_is_rendered_alone),
        TEST(priority_goes_first),
        TEST(users_take_turns),
        TEST(older_job_goes_first),
        TEST(max_agents_caps_a_job),
        TEST(capped_job_goes_on_elsewhere),
        TEST(machine_must_fit),
        TEST(changed_machine_is_looked_at_again),
        TEST(frame_goes_to_one_that_has_not_failed_it),
        TEST(farm_of_one_tries_again),
        TEST(spared_agent_is_asked_when_others_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
