/* SPDX-License-Identifier: Apache-2.0
 *
 * A snapshot kept up by events.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/doc.h"
#include "cli/job.h"
#include "cli/watch/mirror.h"
#include "quoted.h"

static struct mirror mirror;

static int setup(void **state)
{
    (void)state;
    json_t *farm = quoted("{'epoch':7,'seq':'7:100'}");
    json_t *jobs = quoted(
        "[{'id':'j1','name':'shot','state':'running','counts':{'total':20,"
        "'pending':14,'leased':5,'done':0,'failed':1},'failures':"
        "[{'frame':20,'fault':'crash','text':'signal 11'}]}]");
    json_t *agents = quoted(
        "[{'name':'n1','state':'up','drain':'off','leases':[{'lease':'7-1',"
        "'job':'j1','frames':'1-5','frame':null,'progress':0}]}]");
    mirror_take(&mirror, farm, jobs, agents);
    json_decref(farm);
    json_decref(jobs);
    json_decref(agents);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mirror_done(&mirror);
    return 0;
}

/* Applies an event with the next number. */
static void apply(const char *text)
{
    json_t *event = quoted(text);
    json_object_set_new(event, "epoch", json_integer(mirror.epoch));
    json_object_set_new(event, "seq", json_integer(mirror.seq + 1));
    assert_int_equal(mirror_apply(&mirror, event), MIRROR_APPLIED);
    json_decref(event);
}

static int64_t count(const char *name)
{
    const json_t *job = json_object_get(mirror.jobs, "j1");
    return doc_int(json_object_get(job, "counts"), name);
}

static const json_t *lease(size_t i)
{
    const json_t *agent = json_object_get(mirror.agents, "n1");
    return json_array_get(json_object_get(agent, "leases"), i);
}

static enum mirror_step step(int epoch, int seq)
{
    json_t *event =
        json_pack("{s:i,s:i,s:s}", "epoch", epoch, "seq", seq, "type", "farm");
    enum mirror_step result = mirror_apply(&mirror, event);
    json_decref(event);
    return result;
}

static void test_numbers(void **state)
{
    (void)state;
    assert_int_equal(mirror.epoch, 7);
    assert_int_equal(mirror.seq, 100);
    assert_int_equal(step(7, 100), MIRROR_OLD);
    assert_int_equal(step(7, 1), MIRROR_OLD);
    assert_int_equal(step(7, 102), MIRROR_GAP);
    assert_int_equal(step(8, 101), MIRROR_RESTARTED);
    assert_int_equal(mirror.seq, 100);
    assert_int_equal(step(7, 101), MIRROR_APPLIED);
    assert_int_equal(mirror.seq, 101);
    assert_int_equal(mirror_missed(&mirror, 105), 4);
    assert_int_equal(mirror_missed(&mirror, 101), 0);
}

static void test_gap_changes_nothing(void **state)
{
    (void)state;
    json_t *event = quoted("{'epoch':7,'seq':102,'type':'frame','job':'j1',"
                           "'frame':1,'state':'done'}");
    assert_int_equal(mirror_apply(&mirror, event), MIRROR_GAP);
    assert_int_equal(count("done"), 0);
    json_decref(event);
}

static void test_frames(void **state)
{
    (void)state;
    apply("{'type':'frame','job':'j1','frame':1,'state':'done','agent':'n1'}");
    assert_int_equal(count("done"), 1);
    assert_int_equal(count("leased"), 4);
    assert_int_equal(count("pending"), 14);
    apply("{'type':'frame','job':'j1','frame':2,'state':'pending',"
          "'fault':'timeout','agent':'n1'}");
    assert_int_equal(count("leased"), 3);
    assert_int_equal(count("pending"), 15);
    assert_false(mirror.stale);
    apply("{'type':'frame','job':'j1','frames':'7-9','state':'cancelled'}");
    assert_true(mirror.stale);
    apply("{'type':'frame','job':'other','frame':1,'state':'done'}");
}

static void test_faults(void **state)
{
    (void)state;
    assert_int_equal(json_array_size(mirror.faults), 1);
    apply("{'type':'frame','job':'j1','frame':2,'state':'pending',"
          "'fault':'crash','text':'signal 6','agent':'n1'}");
    assert_int_equal(json_array_size(mirror.faults), 1);
    const json_t *crash = json_array_get(mirror.faults, 0);
    assert_int_equal(doc_int(crash, "failed"), 1);
    assert_int_equal(doc_int(crash, "tries"), 1);
    assert_string_equal(doc_text(crash, "text"), "signal 6");
    apply("{'type':'frame','job':'j1','frame':3,'state':'failed',"
          "'fault':'timeout'}");
    assert_int_equal(json_array_size(mirror.faults), 2);
    assert_int_equal(count("failed"), 2);
}

static void test_faults_are_bounded(void **state)
{
    (void)state;
    char text[256];
    for (int i = 0; i < 100; i++) {
        snprintf(text, sizeof text,
                 "{'type':'frame','job':'j%d','frame':1,'state':'failed',"
                 "'fault':'crash'}",
                 i);
        apply(text);
    }
    assert_in_range(json_array_size(mirror.faults), 1, 20);
}

static void test_leases(void **state)
{
    (void)state;
    apply("{'type':'lease','job':'j1','lease':'7-2','agent':'n1',"
          "'frames':'6-10','change':'leased','time':'T'}");
    assert_int_equal(count("leased"), 10);
    assert_int_equal(count("pending"), 9);
    assert_string_equal(doc_text(lease(1), "lease"), "7-2");
    assert_string_equal(doc_text(lease(1), "job_name"), "shot");
    apply("{'type':'progress','job':'j1','lease':'7-2','agent':'n1',"
          "'frame':6,'progress':0.25}");
    assert_int_equal(doc_int(lease(1), "frame"), 6);
    apply("{'type':'lease','job':'j1','lease':'7-2','agent':'n1',"
          "'frames':'6-7','change':'shortened'}");
    assert_string_equal(doc_text(lease(1), "frames"), "6-7");
    apply("{'type':'lease','job':'j1','lease':'7-1','agent':'n1',"
          "'frames':'1-5','change':'released'}");
    assert_string_equal(doc_text(lease(0), "lease"), "7-2");
    assert_null(lease(1));
    assert_true(mirror.stale);
    apply("{'type':'lease','job':'j1','lease':'7-9','agent':'unknown',"
          "'frames':'1-5','change':'released'}");
    apply("{'type':'progress','lease':'7-9','agent':'unknown','frame':1}");
}

static void test_jobs(void **state)
{
    (void)state;
    apply("{'type':'job','job':'j1','change':'ended','state':'completed',"
          "'counts':{'total':20,'done':20}}");
    assert_true(
        job_over(doc_text(json_object_get(mirror.jobs, "j1"), "state")));
    assert_int_equal(count("done"), 20);
    apply("{'type':'job','job':'j2','change':'submitted','name':'new',"
          "'state':'queued','counts':{'total':3}}");
    const json_t *job = json_object_get(mirror.jobs, "j2");
    assert_string_equal(doc_text(job, "name"), "new");
    assert_string_equal(doc_text(job, "id"), "j2");
    apply("{'type':'job','job':'j2','change':'forgotten'}");
    assert_null(json_object_get(mirror.jobs, "j2"));
}

static void test_jobs_are_bounded(void **state)
{
    (void)state;
    char text[256];
    for (int i = 0; i < 1000; i++) {
        snprintf(text, sizeof text,
                 "{'type':'job','job':'x%d','change':'submitted',"
                 "'state':'queued'}",
                 i);
        apply(text);
    }
    assert_in_range(json_object_size(mirror.jobs), 1, 200);
}

static void test_agents(void **state)
{
    (void)state;
    apply("{'type':'agent','name':'n1','state':'silent','change':'silent'}");
    const json_t *agent = json_object_get(mirror.agents, "n1");
    assert_string_equal(doc_text(agent, "state"), "silent");
    assert_non_null(lease(0)); /* its leases are not in the event */
    apply("{'type':'agent','name':'n2','state':'up','change':'up'}");
    assert_int_equal(json_object_size(mirror.agents), 2);
}

static void test_snapshot_replaces(void **state)
{
    (void)state;
    json_t *farm = quoted("{'epoch':8,'seq':'8:3'}"), *none = json_array();
    mirror_take(&mirror, farm, none, none);
    assert_int_equal(mirror.epoch, 8);
    assert_int_equal(mirror.seq, 3);
    assert_int_equal(json_object_size(mirror.jobs), 0);
    assert_int_equal(json_array_size(mirror.faults), 0);
    json_decref(none);
    json_decref(farm);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_numbers), TEST(test_gap_changes_nothing),
        TEST(test_frames),  TEST(test_faults),
        TEST(test_leases),  TEST(test_faults_are_bounded),
        TEST(test_jobs),    TEST(test_jobs_are_bounded),
        TEST(test_agents),  TEST(test_snapshot_replaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
