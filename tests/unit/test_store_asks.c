/* SPDX-License-Identifier: Apache-2.0
 *
 * What the ledger's thread answers between two commits: the facts of frames,
 * and copies of the whole.
 */
#include "broker/ledger/store.h"

#include "store_world.h"

#include <sys/stat.h>

/* --- Facts. --- */

struct facts {
    size_t n;
    int calls;
    struct frame_fact at[8];
    char texts[8][64]; /* "agent blender files fault text" */
};

static void take_facts(void *ctx, const struct frame_fact *facts, size_t n)
{
    struct facts *to = ctx;
    to->calls++;
    to->n = n;
    for (size_t i = 0; i < n && i < 8; i++) {
        to->at[i] = facts[i];
        snprintf(to->texts[i], sizeof to->texts[i], "%s %s %s %s %s",
                 facts[i].agent, facts[i].blender, facts[i].files,
                 facts[i].fault, facts[i].text);
    }
}

static struct facts read_facts(struct world *w, const char *job,
                               struct range ordinals, size_t limit)
{
    struct facts facts = {0};
    store_frames(w->store, job, ordinals, limit, take_facts, &facts);
    while (facts.calls == 0)
        (void)world_news(w->store);
    assert_int_equal(facts.calls, 1);
    return facts;
}

#define JOB "facts-of-this-job"

/* A store with one job of 100,000 frames; *ret_seq is the last event. */
static void begin_with_job(struct world *w, uint64_t *ret_seq)
{
    struct span span = {1, 100000, 1, 0};
    struct job_spec spec = {.id = JOB, .frames = {&span, 1, 100000}};
    struct event event = {.type = EVENT_SUBMITTED, .seq = 1, .spec = &spec};
    world_open(w);
    world_begin(w);
    store_append(w->store, &event);
    *ret_seq = 1;
}

static void append(struct world *w, uint64_t *seq, struct event event)
{
    event.seq = ++*seq;
    event.at_ms = (int64_t)event.seq * 1000;
    event.job = JOB;
    store_append(w->store, &event);
}

static struct event done(int32_t ordinal, const char *agent)
{
    return (struct event){.type = EVENT_DONE,
                          .agent = agent,
                          .lease = LEASE_ID(1, 7),
                          .lo = ordinal,
                          .hi = ordinal + 1,
                          .number = 1234,
                          .text = "[files]",
                          .detail = "3.4.1"};
}

static struct event charged(int32_t ordinal, const char *agent)
{
    return (struct event){.type = EVENT_CHARGED,
                          .agent = agent,
                          .lease = LEASE_ID(1, 8),
                          .lo = ordinal,
                          .hi = ordinal + 1,
                          .fault = FAULT_CRASH,
                          .text = "oh"};
}

static void test_facts_follow_done_and_charges(void **state)
{
    struct world *w = *state;
    uint64_t seq;
    begin_with_job(w, &seq);
    append(w, &seq, charged(3, "a"));
    append(w, &seq, charged(3, "b"));
    append(w, &seq, done(3, "c"));
    append(w, &seq, done(9, "a"));
    append(w, &seq, charged(9, "b"));
    world_commit(w, seq);
    struct facts facts = read_facts(w, JOB, (struct range){0, 100}, 8);
    assert_int_equal(facts.n, 2);
    assert_int_equal(facts.at[0].ordinal, 3);
    assert_int_equal(facts.at[0].attempts, 2);
    assert_int_equal(facts.at[0].ms, 1234);
    assert_true(facts.at[0].at_ms == 4000);
    assert_true(facts.at[0].lease == LEASE_ID(1, 7));
    assert_string_equal(facts.texts[0], "c 3.4.1 [files] crash oh");
    assert_int_equal(facts.at[1].ordinal, 9);
    assert_int_equal(facts.at[1].attempts, 1);
    assert_true(facts.at[1].lease == LEASE_ID(1, 8));
    assert_string_equal(facts.texts[1], "b 3.4.1 [files] crash oh");
}

static void test_facts_of_the_frames_that_are_asked_for(void **state)
{
    struct world *w = *state;
    uint64_t seq;
    begin_with_job(w, &seq);
    for (int32_t ordinal = 0; ordinal < 20; ordinal++)
        append(w, &seq, done(19 - ordinal, "a"));
    world_commit(w, seq);
    struct facts facts = read_facts(w, JOB, (struct range){4, 8}, 8);
    assert_int_equal(facts.n, 4);
    for (int32_t i = 0; i < 4; i++)
        assert_int_equal(facts.at[i].ordinal, 4 + i);
    assert_int_equal(read_facts(w, JOB, (struct range){4, 8}, 3).n, 3);
    assert_int_equal(read_facts(w, JOB, (struct range){20, 99}, 8).n, 0);
    assert_int_equal(read_facts(w, JOB, (struct range){7, 7}, 8).n, 0);
    assert_int_equal(read_facts(w, "no-such-job", (struct range){0, 9}, 8).n,
                     0);
}

static struct event failed(const struct ranges *frames, bool whole_job)
{
    return (struct event){.type = EVENT_FAILED,
                          .agent = "a",
                          .frames = frames,
                          .flag = whole_job,
                          .fault = FAULT_BAD_NAME,
                          .text = "no"};
}

static void test_a_last_charge_is_an_attempt(void **state)
{
    struct world *w = *state;
    uint64_t seq;
    struct ranges one = {0};
    ranges_add(&one, 5, 6);
    begin_with_job(w, &seq);
    append(w, &seq, charged(5, "b"));
    append(w, &seq, failed(&one, false));
    world_commit(w, seq);
    struct facts facts = read_facts(w, JOB, (struct range){0, 100}, 8);
    assert_int_equal(facts.n, 1);
    assert_int_equal(facts.at[0].attempts, 2);
    assert_string_equal(facts.texts[0], "a   bad_name no");
    ranges_free(&one);
}

static void test_a_failed_job_leaves_bounded_facts(void **state)
{
    struct world *w = *state;
    uint64_t seq;
    struct ranges all = {0};
    ranges_add(&all, 0, 10);
    ranges_add(&all, 20, 100000);
    begin_with_job(w, &seq);
    append(w, &seq, failed(&all, true));
    world_commit(w, seq);
    int32_t last = LIMIT_FAILED_FACTS + 10; /* the first that has none */
    struct facts facts =
        read_facts(w, JOB, (struct range){last - 2, last + 2}, 8);
    assert_int_equal(facts.n, 2);
    assert_int_equal(facts.at[1].ordinal, last - 1);
    assert_int_equal(facts.at[1].attempts, 0);
    ranges_free(&all);
}

static void ask_again(void *ctx, const struct frame_fact *facts, size_t n)
{
    struct world *w = ctx;
    (void)facts;
    (void)n;
    store_frames(w->store, JOB, (struct range){0, 9}, 8, take_facts, w->why);
    store_forget(w->store, w->why);
}

static void test_a_forgotten_question_gets_no_answer(void **state)
{
    struct world *w = *state;
    uint64_t seq;
    struct facts first = {0}, second = {0};
    begin_with_job(w, &seq);
    struct range all = {0, 100};
    store_frames(w->store, JOB, all, 8, take_facts, &first);
    store_frames(w->store, JOB, all, 8, take_facts, &second);
    store_frames(w->store, JOB, all, 8, take_facts, &first);
    store_frames(w->store, JOB, all, 8, ask_again, w);
    store_forget(w->store, &first);
    (void)read_facts(w, JOB, all, 8);
    assert_int_equal(first.calls, 0);
    assert_int_equal(second.calls, 1);
    store_frames(w->store, JOB, all, 8, take_facts, &first);
}

static void test_a_forgotten_job_has_no_facts(void **state)
{
    struct world *w = *state;
    uint64_t seq;
    begin_with_job(w, &seq);
    append(w, &seq, done(3, "c"));
    append(w, &seq, (struct event){.type = EVENT_FORGOTTEN});
    world_commit(w, seq);
    assert_int_equal(read_facts(w, JOB, (struct range){0, 9}, 8).n, 0);
}

/* --- Copies. --- */

static void make_ledger(struct world *w, uint64_t events)
{
    world_open(w);
    world_begin(w);
    world_append(w, 1, events);
    store_close(&w->store);
}

struct copied {
    int calls;
    char reason[256];
};

static void take_reason(void *ctx, const char *reason)
{
    struct copied *copied = ctx;
    copied->calls++;
    snprintf(copied->reason, sizeof copied->reason, "%s",
             reason == NULL ? "" : reason);
}

static void wait_copy(struct world *w, const struct copied *copied)
{
    while (copied->calls == 0)
        (void)world_news(w->store);
}

static void test_a_copy_is_whole_and_of_later_epochs(void **state)
{
    struct world *w = *state;
    struct copied copied = {0};
    world_open(w);
    world_begin(w);
    world_append(w, 1, 20000);
    world_commit(w, 20000);
    store_backup(w->store, world_path(w, "copy"), take_reason, &copied);
    uint64_t seq = 20000;
    while (copied.calls == 0) { /* work goes on meanwhile */
        world_append(w, seq + 1, seq + 1);
        world_commit(w, ++seq);
    }
    assert_string_equal(copied.reason, "");
    assert_true(seq > 20000);
    store_close(&w->store);
    assert_false(world_has(w, "copy-wal"));
    assert_int_equal(rename(world_path(w, "copy"), world_path(w, "ledger.db")),
                     0);
    world_open(w);
    (void)world_audit(w, 20000);
    assert_int_equal(world_begin(w), 1002);
}

static void test_a_copy_replaces_no_file(void **state)
{
    struct world *w = *state;
    struct copied copied = {0};
    make_ledger(w, 10);
    FILE *file = fopen(world_path(w, "precious"), "w");
    fputs("precious\n", file);
    fclose(file);
    world_open(w);
    world_begin(w);
    store_backup(w->store, world_path(w, "precious"), take_reason, &copied);
    wait_copy(w, &copied);
    assert_non_null(strstr(copied.reason, "File exists"));
    struct stat after;
    assert_int_equal(stat(world_path(w, "precious"), &after), 0);
    assert_int_equal(after.st_size, 9);
    copied.calls = 0;
    store_backup(w->store, world_path(w, "no/such"), take_reason, &copied);
    wait_copy(w, &copied);
    assert_non_null(strstr(copied.reason, "No such file"));
}

static void test_a_file_is_written_on_the_way(void **state)
{
    struct world *w = *state;
    struct copied copied = {0};
    struct stat facts;
    world_open(w);
    world_begin(w);
    store_file(w->store, world_path(w, "secret"), json_pack("{s:i}", "a", 1),
               take_reason, &copied);
    wait_copy(w, &copied);
    assert_string_equal(copied.reason, "");
    assert_int_equal(stat(world_path(w, "secret"), &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    copied.calls = 0;
    store_file(w->store, world_path(w, "no/such"), json_object(), take_reason,
               &copied);
    wait_copy(w, &copied);
    assert_non_null(strstr(copied.reason, "no/such: No such file"));
    copied.calls = 0;
    store_file(w->store, world_path(w, "last"), json_object(), take_reason,
               &copied);
    store_close(&w->store); /* may come first: nothing leaks, none is told */
    assert_int_equal(copied.calls, 0);
}

static void test_one_copy_at_a_time(void **state)
{
    struct world *w = *state;
    struct copied first = {0}, second = {0};
    make_ledger(w, 20000);
    world_open(w);
    world_begin(w);
    store_backup(w->store, world_path(w, "one"), take_reason, &first);
    store_backup(w->store, world_path(w, "two"), take_reason, &second);
    wait_copy(w, &second);
    assert_string_equal(second.reason, "another backup is under way");
    wait_copy(w, &first);
    assert_string_equal(first.reason, "");
    assert_false(world_has(w, "two"));
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_facts_follow_done_and_charges),
        TEST(test_facts_of_the_frames_that_are_asked_for),
        TEST(test_a_last_charge_is_an_attempt),
        TEST(test_a_failed_job_leaves_bounded_facts),
        TEST(test_a_forgotten_question_gets_no_answer),
        TEST(test_a_forgotten_job_has_no_facts),
        TEST(test_a_copy_is_whole_and_of_later_epochs),
        TEST(test_a_copy_replaces_no_file),
        TEST(test_one_copy_at_a_time),
        TEST(test_a_file_is_written_on_the_way),
    };
    return cmocka_run_group_tests_name("store_asks", tests, NULL, NULL);
}
