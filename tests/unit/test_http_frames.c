/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a job over HTTP: states, facts, pages, retry and cancel, pictures.
 */
#include "tests/unit/broker_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/people/http_state.h"

static char id[LIMIT_ID + 1];
static char dir[] = "/tmp/frameq-frames-XXXXXX";

static void submit(const char *body)
{
    snprintf(id, sizeof id, "%s", world_submit(body));
}

static const char *path_of(const char *tail)
{
    static char path[256];
    snprintf(path, sizeof path, "/v1/jobs/%s%s", id, tail);
    return path;
}

static json_t *get(const char *tail)
{
    return world_json("GET", path_of(tail), NULL, 200);
}

static json_t *post(const char *tail, const char *body)
{
    return world_json("POST", path_of(tail), body, 200);
}

static void refused(const char *tail, const char *body, int status)
{
    json_decref(world_json("POST", path_of(tail), body, status));
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "(no text)";
}

static void letters_are(const char *expected)
{
    json_t *view = get("/frames?view=states");
    assert_string_equal(text_of(view, "states"), expected);
    json_decref(view);
}

/* Adds what the ledger knows of one frame. */
static void know(int32_t ordinal, const char *files)
{
    world.facts[world.n_facts++] = (struct frame_fact){.ordinal = ordinal,
                                                       .at_ms = world.now_ms,
                                                       .ms = 1500,
                                                       .agent = "a",
                                                       .blender = "3.4.1",
                                                       .files = files,
                                                       .fault = "",
                                                       .text = ""};
}

/* The numbers of a list's frames, with blanks between. */
static const char *numbers_of(const char *tail)
{
    static char numbers[512];
    size_t i;
    json_t *frame;
    json_t *list = get(tail);
    numbers[0] = '\0';
    json_array_foreach(json_object_get(list, "frames"), i, frame)
    {
        size_t len = strlen(numbers);
        snprintf(numbers + len, sizeof numbers - len,
                 "%" JSON_INTEGER_FORMAT " ",
                 json_integer_value(json_object_get(frame, "frame")));
    }
    json_decref(list);
    return numbers;
}

static void states(void **state)
{
    (void)state;
    submit("{\"from\":1,\"to\":6,\"batch\":3,\"max_attempts\":1}");
    letters_are("qqqqqq");
    world_agent("a");
    letters_are("lllqqq");
    world_finish("a", 1);
    letters_are("drlqqq");
    json_decref(post("/frames:cancel", "{\"frames\":\"5-6\"}"));
    letters_are("drlqcc");
}

static void lists(void **state)
{
    (void)state;
    submit("{\"from\":1,\"to\":10}");
    know(2, "");
    json_t *list = get("/frames");
    const json_t *frames = json_object_get(list, "frames");
    assert_int_equal(json_array_size(frames), 10);
    assert_string_equal(text_of(json_array_get(frames, 2), "agent"), "a");
    assert_string_equal(text_of(json_array_get(frames, 1), "agent"),
                        "(no text)");
    assert_true(json_is_null(json_object_get(list, "next")));
    json_decref(list);
    json_decref(world_json("GET", "/v1/jobs/nothing/frames", NULL, 404));
}

static void lists_by_the_page(void **state)
{
    (void)state;
    submit("{\"frames\":\"10-19,31-39x2\"}");
    assert_string_equal(numbers_of("/frames?limit=4"), "10 11 12 13 ");
    json_t *list = get("/frames?limit=4");
    assert_string_equal(text_of(list, "next"), "14");
    json_decref(list);
    assert_string_equal(numbers_of("/frames?from=18&limit=4"), "18 19 31 33 ");
    assert_string_equal(numbers_of("/frames?from=36"), "37 39 ");
    assert_string_equal(numbers_of("/frames?from=40"), "");
    static const char *const bad[] = {
        "/frames?limit=0",     "/frames?limit=1001",  "/frames?from=-1",
        "/frames?state=x",     "/frames?state=done,", "/frames?state=",
        "/frames?state=,done", "/frames?view=x"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        json_decref(world_json("GET", path_of(bad[i]), NULL, 400));
    char path[64];
    for (int extra = 0; extra < 2; extra++) {
        snprintf(path, sizeof path, "/frames?limit=%d", LIMIT_PAGE + extra);
        json_decref(
            world_json("GET", path_of(path), NULL, extra == 0 ? 200 : 400));
    }
}

static void lists_by_state(void **state)
{
    (void)state;
    submit("{\"from\":1,\"to\":10}");
    json_decref(post("/frames:cancel", "{\"frames\":\"2,4,6-7,9\"}"));
    for (int32_t at = 0; at < 10; at++)
        know(at, "");
    world.reads = 0;
    assert_string_equal(numbers_of("/frames?state=cancelled&limit=3"),
                        "2 4 6 ");
    assert_int_equal(world.reads, 3); /* a run at a time */
    json_t *list = get("/frames?state=cancelled&limit=3");
    assert_string_equal(text_of(list, "next"), "7");
    json_decref(list);
    assert_string_equal(numbers_of("/frames?state=cancelled&from=7&limit=2"),
                        "7 9 ");
    list = get("/frames?state=cancelled&from=7&limit=2");
    assert_true(json_is_null(json_object_get(list, "next")));
    json_decref(list);
    list = get("/frames?state=cancelled&limit=4");
    assert_string_equal(text_of(list, "next"), "9"); /* at a run's end */
    json_decref(list);
    assert_string_equal(numbers_of("/frames?state=done"), "");
    assert_string_equal(numbers_of("/frames?state=done,cancelled"),
                        "2 4 6 7 9 ");
    assert_string_equal(numbers_of("/frames?state=cancelled,pending"),
                        "1 2 3 4 5 6 7 8 9 10 ");
}

static void one_frame(void **state)
{
    (void)state;
    submit("{\"frames\":\"5,9\"}");
    know(1, "[{\"path\":\"/f/9.png\",\"bytes\":5,\"sha256\":\"ab\"}]");
    json_t *frame = get("/frames/9");
    assert_string_equal(text_of(frame, "state"), "pending");
    assert_int_equal(json_array_size(json_object_get(frame, "files")), 1);
    json_decref(frame);
    static const char *const none[] = {"/frames/6", "/frames/x", "/frames/-5",
                                       "/frames/99999999999", "/frames/5x"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        json_decref(world_json("GET", path_of(none[i]), NULL, 404));
}

static void readers_may_leave(void **state)
{
    (void)state;
    submit("{\"from\":1,\"to\":10}");
    world.hold = true;
    int fd = world_send("GET", path_of("/frames"), "", NULL);
    world_silent(fd);
    world_leave(fd, 0);
    assert_int_equal(world.forgotten, 1);
    world.hold = false;
    world_turn();
}

static void jobs_may_go_while_read(void **state)
{
    (void)state;
    submit("{\"from\":1,\"to\":10}");
    json_decref(post(":cancel", NULL));
    world.hold = true;
    int list = world_send("GET", path_of("/frames"), "", NULL);
    int one = world_send("GET", path_of("/frames/3"), "", NULL);
    world_silent(list);
    int gone = world_send("DELETE", path_of(""), "", NULL);
    world_silent(gone);
    world.hold = false;
    const int fds[] = {list, one};
    for (int i = 0; i < 2; i++) {
        struct got got = world_receive(fds[i]);
        assert_int_equal(got.status, 404);
        got_free(&got);
    }
    struct got got = world_receive(gone);
    assert_int_equal(got.status, 204);
    got_free(&got);
}

static void retries(void **state)
{
    (void)state;
    submit("{\"from\":1,\"to\":2,\"batch\":1,\"max_attempts\":1}");
    refused("/frames:retry", "{\"state\":\"failed\"}", 409);
    world_agent("a");
    world_fail("a", FAULT_CRASH, "signal 11");
    world_agent("a");
    world_finish("a", 1);
    letters_are("fd");
    json_decref(post("/frames:retry", "{\"state\":\"failed\"}"));
    letters_are("ld"); /* the agent had room */
    json_decref(post("/frames:retry", "{\"frames\":\"2\",\"avoid\":\"a\"}"));
    letters_are("lq");
    refused("/frames:retry", "{\"frames\":\"1-3\"}", 400);
    refused("/frames:retry", "{\"frames\":\"\"}", 400);
    refused("/frames:retry", "{\"state\":\"done\"}", 400);
    refused("/frames:retry", "{\"state\":\"failed\",\"frames\":\"1\"}", 400);
    refused("/frames:retry", "{}", 400);
    refused("/frames:retry", NULL, 400);
}

static void cancels(void **state)
{
    (void)state;
    submit("{\"from\":1,\"to\":4}");
    refused("/frames:cancel", "{}", 400);
    refused("/frames:cancel", "{\"frames\":\"9\"}", 400);
    json_decref(post("/frames:cancel",
                     "{\"frames\":\"1-2\",\"reason\":\"not needed\"}"));
    letters_are("ccqq");
}

static void failures(void **state)
{
    (void)state;
    submit("{\"from\":1,\"to\":2,\"batch\":1,\"max_attempts\":1}");
    world_agent("a");
    world_fail("a", FAULT_CRASH, "signal 11");
    json_t *view = get("/failures");
    const json_t *group = json_array_get(json_object_get(view, "failures"), 0);
    assert_string_equal(text_of(group, "fault"), "crash");
    assert_string_equal(text_of(group, "frames"), "1");
    json_decref(view);
}

/* Writes a picture and has the ledger know it as that of frame 1. */
static const char *make_picture(void)
{
    static char path[64], files[256];
    snprintf(path, sizeof path, "%s/0001.png", dir);
    snprintf(files, sizeof files,
             "[{\"path\":\"%s\",\"bytes\":7,\"sha256\":\"ab12\"}]", path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("picture", file);
    fclose(file);
    know(0, files);
    return path;
}

static void pictures(void **state)
{
    (void)state;
    submit("{\"from\":1,\"to\":2}");
    const char *path = make_picture();
    struct got got = world_ask("GET", path_of("/frames/1/image"), "", NULL);
    assert_int_equal(got.status, 200);
    assert_string_equal(got.body, "picture");
    assert_string_equal(got_header(&got, "Content-Type"), "image/png");
    assert_string_equal(got_header(&got, "ETag"), "\"ab12\"");
    got_free(&got);
    got = world_ask("GET", path_of("/frames/1/image"),
                    "If-None-Match: \"ab12\"\r\n", NULL);
    assert_int_equal(got.status, 304);
    got_free(&got);
    static const char *const none[] = {"/frames/2/image", "/frames/3/image",
                                       "/frames/1/image?file=1"};
    for (size_t i = 0; i < 3; i++)
        json_decref(world_json("GET", path_of(none[i]), NULL, 404));
    unlink(path);
    json_decref(world_json("GET", path_of("/frames/1/image"), NULL, 404));
}

static void pictures_may_go_with_the_job(void **state)
{
    (void)state;
    submit("{\"from\":1,\"to\":200}");
    const char *path = make_picture();
    json_decref(world_json("DELETE", path_of("?frames=delete"), NULL, 409));
    assert_int_equal(access(path, F_OK), 0);
    json_decref(post(":cancel", NULL));
    struct got got = world_ask("DELETE", path_of("?frames=delete"), "", NULL);
    assert_int_equal(got.status, 204);
    got_free(&got);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(world.core->n_jobs, 0);
    json_decref(world_json("DELETE", path_of("?frames=delete"), NULL, 404));
}

static void what_stays_is_named(void **state)
{
    (void)state;
    submit("{\"from\":1,\"to\":2}");
    know(0, "[{\"path\":\"/etc/passwd\",\"bytes\":7}]");
    json_decref(post(":cancel", NULL));
    json_t *answer = world_json("DELETE", path_of("?frames=delete"), NULL, 200);
    const json_t *left = json_object_get(answer, "left");
    assert_string_equal(json_string_value(json_array_get(left, 0)),
                        "/etc/passwd");
    json_decref(answer);
    assert_int_equal(access("/etc/passwd", F_OK), 0);
    assert_int_equal(world.core->n_jobs, 0);
}

static int make_dir(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(states),
        TEST(lists),
        TEST(lists_by_the_page),
        TEST(lists_by_state),
        TEST(one_frame),
        TEST(readers_may_leave),
        TEST(jobs_may_go_while_read),
        TEST(retries),
        TEST(cancels),
        TEST(failures),
        TEST(pictures),
        TEST(pictures_may_go_with_the_job),
        TEST(what_stays_is_named),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
