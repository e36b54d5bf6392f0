/* SPDX-License-Identifier: Apache-2.0
 *
 * What people see of an event: JSON whatever the texts in it, with the keys
 * that docs/protocol.md lists.
 */
#include <string.h>

#include <jansson.h>

#include "broker/views/feed_view.h"
#include "tests/unit/core_farm.h"

/* The event as an object; fails when it is none. */
static json_t *seen(const struct farm *farm, const struct event *event,
                    const char *type)
{
    struct buf body, text;
    json_error_t error;
    buf_init(&body, LIMIT_MESSAGE);
    buf_init(&text, LIMIT_MESSAGE);
    struct feed_view view = feed_view_event(farm->core, event, &body);
    assert_string_equal(view.type, type);
    assert_int_equal(body.data[0], ',');
    buf_print(&text, "{%s}", body.data + 1);
    json_t *json = json_loads(buf_text(&text), JSON_REJECT_DUPLICATES, &error);
    if (json == NULL)
        fail_msg("%s in %s", error.text, buf_text(&text));
    buf_free(&body);
    buf_free(&text);
    return json;
}

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? text : "(no text)";
}

static void a_batch_and_its_frames(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    const struct job *job = farm_job(farm, "job", "1-9x2,20");
    const struct event *leased = farm_event(farm, EVENT_LEASED, 0);
    json_t *json = seen(farm, leased, "lease");
    assert_string_equal(text_of(json, "job"), job->id);
    assert_string_equal(text_of(json, "change"), "leased");
    assert_string_equal(text_of(json, "frames"), "1-9x2");
    assert_string_equal(text_of(json, "agent"), "a");
    json_decref(json);
    hand_take(farm, &hand);
    hand_finish(farm, &hand, 0);
    assert_int_equal(farm_count(farm, EVENT_DONE), 5);
}

static void a_done_frame(void **state)
{
    struct farm *farm = *state;
    const struct job *job = farm_job(farm, "job", "7");
    struct event done = {.type = EVENT_DONE, .job = job->id, .agent = "a"};
    done.number = 61007;
    done.text = "[{\"path\":\"/o/a\\\"b.png\",\"bytes\":3}]";
    json_t *json = seen(farm, &done, "frame");
    json_t *files = json_object_get(json, "files");
    assert_string_equal(text_of(json, "state"), "done");
    assert_int_equal(json_integer_value(json_object_get(json, "frame")), 7);
    assert_true(json_real_value(json_object_get(json, "seconds")) == 61.007);
    assert_string_equal(text_of(json_array_get(files, 0), "path"),
                        "/o/a\"b.png");
    json_decref(json);
    const char *const none[] = {NULL, "", "[no list]"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++) {
        done.text = none[i];
        json = seen(farm, &done, "frame");
        assert_int_equal(json_array_size(json_object_get(json, "files")), 0);
        json_decref(json);
    }
}

static void texts_of_any_kind(void **state)
{
    static const struct {
        const char *text, *shown;
    } rows[] = {
        {"a \"b\" \\ c", "a \"b\" \\ c"},
        {"line\nline\x01", "line\nline\x01"},
        {"bl\xc3\xa4u", "bl\xc3\xa4u"},
        {"no UTF-8 \xff", NULL},
        {"", NULL},
        {NULL, NULL},
    };
    struct farm *farm = *state;
    const struct job *job = farm_job(farm, "job", "1-3");
    struct event event = {
        .type = EVENT_CHARGED, .job = job->id, .agent = "a", .hi = 1};
    event.fault = FAULT_CRASH;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        event.text = rows[i].text;
        json_t *json = seen(farm, &event, "frame");
        if (rows[i].shown)
            assert_string_equal(text_of(json, "text"), rows[i].shown);
        else
            assert_true(json_is_null(json_object_get(json, "text")));
        assert_string_equal(text_of(json, "fault"), "crash");
        json_decref(json);
    }
}

static void an_agent(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 2);
    hand_join(farm, &hand);
    const struct event event = {
        .type = EVENT_DRAINED, .agent = "a", .number = DRAIN_SOFT};
    json_t *json = seen(farm, &event, "agent");
    assert_string_equal(text_of(json, "name"), "a");
    assert_string_equal(text_of(json, "change"), "drained");
    assert_true(json_is_object(json_object_get(json, "node")));
    json_decref(json);
}

static void a_benched_agent(void **state)
{
    struct farm *farm = *state;
    struct hand hand;
    hand_init(&hand, "a", 1);
    hand_join(farm, &hand);
    const struct job *job = farm_job(farm, "job", "1-3");
    const struct event event = {
        .type = EVENT_BENCHED, .agent = "a", .job = job->id};
    json_t *json = seen(farm, &event, "agent");
    assert_string_equal(text_of(json, "change"), "benched");
    assert_string_equal(text_of(json, "job"), job->id);
    json_decref(json);
}

static void what_nobody_sees(void **state)
{
    struct farm *farm = *state;
    struct buf body;
    buf_init(&body, LIMIT_MESSAGE);
    const struct event event = {.type = EVENT_HEARD, .agent = "a"};
    assert_null(feed_view_event(farm->core, &event, &body).type);
    assert_int_equal(body.len, 0);
}

int main(void)
{
#define ROW(name)                                                              \
    cmocka_unit_test_setup_teardown(name, farm_setup, farm_teardown)
    const struct CMUnitTest tests[] = {
        ROW(a_batch_and_its_frames), ROW(a_done_frame),
        ROW(texts_of_any_kind),      ROW(an_agent),
        ROW(a_benched_agent),        ROW(what_nobody_sees),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
