/* SPDX-License-Identifier: Apache-2.0
 *
 * Why an agent has no frames of a job: what is said is what is done.
 * core_check, after every step, sees that agents with room are told a reason.
 */
#include <string.h>

#include "broker/core/why.h"
#include "tests/unit/core_farm.h"

static struct why_agent ask(const struct farm *farm, const struct job *job,
                            const char *agent)
{
    return why_agent(farm->core, job, agent_find(farm->core, agent), -1);
}

static void says(const struct farm *farm, const struct job *job,
                 const char *agent, enum why why)
{
    assert_string_equal(why_word(ask(farm, job, agent).why), why_word(why));
}

static void join(struct farm *farm, struct hand *hand, const char *name)
{
    hand_init(hand, name, 1);
    hand_join(farm, hand);
}

static void what_a_job_waits_for(void **state)
{
    struct farm *farm = *state;
    struct job_spec spec = farm_spec(farm, "later", "1-10");
    spec.not_before_ms = farm->now_ms + 1000;
    const struct job *later = farm_submit(farm, &spec);
    assert_int_equal(why_job(farm->core, later), WHY_NOT_BEFORE);
    const char *const depends[] = {later->id};
    spec = farm_spec(farm, "after", "1-10");
    spec.depends = depends;
    spec.n_depends = 1;
    const struct job *after = farm_submit(farm, &spec);
    assert_int_equal(why_job(farm->core, after), WHY_DEPENDS);
    struct cmd_patch patch = {.has_paused = true, .paused = true};
    farm_patch(farm, after, &patch);
    assert_int_equal(why_job(farm->core, after), WHY_PAUSED);
    farm_tick(farm, 1000);
    assert_int_equal(why_job(farm->core, later), WHY_NONE);
    spec = farm_spec(farm, "fresh", "1-10");
    struct cmd submit = {.type = CMD_SUBMIT, .spec = &spec};
    farm_do(farm, &submit);
    frames_free(&spec.frames);
    const struct job *fresh = job_find(farm->core, spec.id);
    assert_int_equal(why_job(farm->core, fresh), WHY_COMMIT);
    farm_commit(farm);
    assert_int_equal(why_job(farm->core, fresh), WHY_NONE);
    farm_ask(farm, CMD_CANCEL, fresh, NULL, "");
    assert_int_equal(why_job(farm->core, fresh), WHY_ENDED);
}

static void what_a_machine_lacks(void **state)
{
    static const struct {
        const char *tag;
        int32_t memory_mb;
        bool gpu;
        const char *blender;
        enum why why;
    } cases[] = {
        {"gpu", 0, false, "", WHY_TAG},
        {NULL, INT32_MAX, false, "", WHY_MEMORY},
        {NULL, 0, true, "", WHY_GPU},
        {NULL, 0, false, "9.", WHY_BLENDER},
    };
    struct farm *farm = *state;
    struct hand a;
    hand_init(&a, "a", 1);
    a.state.node.gpus = 0;
    hand_join(farm, &a);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[] = "job0";
        name[3] = (char)('0' + i);
        struct job_spec spec = farm_spec(farm, name, "1-10");
        spec.tags = &cases[i].tag;
        spec.n_tags = cases[i].tag != NULL;
        spec.memory_mb = cases[i].memory_mb;
        spec.gpu = cases[i].gpu;
        spec.blender = cases[i].blender;
        const struct job *job = farm_submit(farm, &spec);
        says(farm, job, "a", cases[i].why);
        assert_int_equal(hand_take(farm, &a), 0);
    }
}

static void what_keeps_an_agent(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    join(farm, &a, "a");
    join(farm, &b, "b");
    struct job_spec spec = farm_spec(farm, "one", "1-100");
    spec.max_agents = 1;
    const struct job *job = farm_submit(farm, &spec);
    assert_int_equal(hand_take(farm, &a), 1);
    says(farm, job, "a", WHY_BUSY);
    says(farm, job, "b", WHY_MAX_AGENTS);
    farm_drain(farm, "b", DRAIN_SOFT, 0);
    says(farm, job, "b", WHY_DRAINED);
    farm_drain(farm, "b", DRAIN_OFF, 0);
    b.state.leaving = true;
    hand_say(farm, &b);
    says(farm, job, "b", WHY_LEAVING);
    b.state.leaving = false;
    b.state.slots = 0;
    hand_say(farm, &b);
    struct cmd_patch patch = {.has_max_agents = true, .max_agents = 2};
    farm_patch(farm, job, &patch);
    says(farm, job, "b", WHY_NO_SLOTS);
    farm_tick(farm, FARM_TTL_MS);
    says(farm, job, "b", WHY_AWAY);
}

/* What is said to go first is what the agent is given when it has room. */
static void who_goes_first(void **state)
{
    struct farm *farm = *state;
    struct hand a, b;
    join(farm, &a, "a");
    join(farm, &b, "b");
    farm_job(farm, "busy", "1-10");
    assert_int_equal(hand_take(farm, &a), 1);
    assert_int_equal(hand_take(farm, &b), 1);
    const struct job *old = farm_job(farm, "old", "1-5");
    const struct job *young = farm_job(farm, "young", "1-5");
    struct job_spec spec = farm_spec(farm, "other", "1-5");
    spec.user = "bob";
    const struct job *other = farm_submit(farm, &spec);
    spec = farm_spec(farm, "urgent", "1-5");
    spec.priority = 90;
    const struct job *urgent = farm_submit(farm, &spec);
    const struct job *first[] = {urgent, other, old, young};
    for (size_t i = 0; i < 4; i++) {
        says(farm, young, "a", WHY_BUSY);
        const struct job *next = ask(farm, young, "a").next;
        assert_ptr_equal(next,
                         why_next(farm->core, agent_find(farm->core, "a")));
        assert_ptr_equal(next, first[i]);
        hand_finish(farm, &a, 0);
        assert_int_equal(hand_take(farm, &a), 1);
        assert_string_equal(farm_event(farm, EVENT_LEASED, 0)->job, next->id);
    }
    assert_int_equal(why_first(urgent, young), FIRST_PRIORITY);
    assert_int_equal(why_first(other, young), FIRST_SHARE);
    assert_int_equal(why_first(old, young), FIRST_AGE);
    assert_int_equal(why_first(young, old), FIRST_SMALL);
}

static enum fault b_crashes(const char *agent, int32_t frame)
{
    (void)frame;
    return strcmp(agent, "b") == 0 ? FAULT_CRASH : FAULT_NONE;
}

static void who_failed_it_waits_for_others(void **state)
{
    struct farm *farm = *state;
    struct hand hands[2];
    join(farm, &hands[1], "b");
    struct job_spec spec = farm_spec(farm, "job", "1-40");
    spec.batch = 1;
    const struct job *job = farm_submit(farm, &spec);
    assert_int_equal(hand_take(farm, &hands[1]), 1);
    join(farm, &hands[0], "a");
    hand_work(farm, &hands[1], b_crashes);
    assert_int_equal(why_frame(farm->core, job, agent_find(farm->core, "b"), 0),
                     WHY_SPARED);
    assert_int_equal(why_frame(farm->core, job, agent_find(farm->core, "a"), 0),
                     WHY_NONE);
    assert_int_equal(
        why_agent(farm->core, job, agent_find(farm->core, "b"), 0).why,
        WHY_SPARED);
}

static void when_frames_go_elsewhere(void **state)
{
    struct farm *farm = *state;
    struct hand a;
    join(farm, &a, "a");
    const struct job *job = farm_job(farm, "job", "1-5");
    assert_int_equal(hand_take(farm, &a), 1);
    hand_say(farm, &a);
    const struct lease *lease = job->leases;
    assert_int_equal(why_job(farm->core, job), WHY_ALL_LEASED);
    assert_int_equal(why_due_ms(lease, 4), -1);
    assert_int_equal(why_elsewhere_ms(farm->core, lease), INT64_MAX);
    struct cmd gone = {.type = CMD_GONE, .agent = "a", .inc = a.state.inc};
    farm_do(farm, &gone);
    int64_t at_ms = why_elsewhere_ms(farm->core, lease);
    farm_tick(farm, at_ms - farm->now_ms - 1);
    assert_non_null(job->leases);
    farm_tick(farm, 1);
    assert_null(job->leases);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_a_job_waits_for),
        TEST(what_a_machine_lacks),
        TEST(what_keeps_an_agent),
        TEST(who_goes_first),
        TEST(who_failed_it_waits_for_others),
        TEST(when_frames_go_elsewhere),
    };
    return cmocka_run_group_tests_name("core_why", tests, NULL, NULL);
}
