/* SPDX-License-Identifier: Apache-2.0
 *
 * Log lines: one each, whatever the text in them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include <string.h>

#include "child.h"
#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/app/log_json.h"

static void say_something(void *arg)
{
    setenv("FRAMEQ_LOG", arg, 1);
    log_open("frameq-test");
    log_debug("quiet", "%s", "");
    log_info("job_accepted", "job=%s name=%s", "abc",
             log_quoted("shot \"10\"\n"));
    log_warn("odd", "text=%s", "two\nlines\x1b[0m");
    log_error("bare", "%s", "");
}

static void test_lines(void **state)
{
    (void)state;
    struct child child;
    char level[] = "info";
    child_run(&child, say_something, level);
    char *second = strchr(child.err, '\n') + 1;
    char *third = strchr(second, '\n') + 1;
    second[-1] = third[-1] = '\0';
    assert_memory_equal(child.err, "time=", 5);
    child.err[5 + 24] = '\0';
    assert_true(clock_parse(child.err + 5) > 0);
    assert_string_equal(child.err + 30,
                        "level=info program=frameq-test event=job_accepted "
                        "job=abc name=\"shot \\\"10\\\"\\n\"");
    assert_string_equal(second + 30, "level=warn program=frameq-test event=odd "
                                     "text=two lines [0m");
    assert_string_equal(third + 30,
                        "level=error program=frameq-test event=bare\n");
    assert_string_equal(child.out, "");
}

static int count_lines(const char *text)
{
    int n = 0;
    for (; *text != '\0'; text++)
        n += *text == '\n';
    return n;
}

static void test_levels(void **state)
{
    (void)state;
    struct child child;
    static const struct {
        char level[8];
        int lines;
    } rows[] = {{"debug", 4}, {"info", 3}, {"warn", 2},
                {"error", 1}, {"", 3},     {"noise", 3}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char level[8];
        memcpy(level, rows[i].level, sizeof level);
        child_run(&child, say_something, level);
        assert_int_equal(count_lines(child.err), rows[i].lines);
    }
}

static void test_quoted(void **state)
{
    (void)state;
    assert_string_equal(log_quoted("plain-1.2/x:y"), "plain-1.2/x:y");
    assert_string_equal(log_quoted(""), "\"\"");
    assert_string_equal(log_quoted(NULL), "\"\"");
    assert_string_equal(log_quoted("a b"), "\"a b\"");
    assert_string_equal(log_quoted("a=b"), "\"a=b\"");
    assert_string_equal(log_quoted("\\"), "\"\\\\\"");
    assert_string_equal(log_quoted("\x1b\x7f\r\t"), "\"\\x1b\\x7f\\r\\t\"");
    assert_string_equal(log_quoted("\u00e4"), "\u00e4");
    const char *first = log_quoted("first");
    for (int i = 0; i < 7; i++)
        log_quoted("other");
    assert_string_equal(first, "first");
}

static void test_quoted_is_cut(void **state)
{
    (void)state;
    static char text[5000];
    memset(text, '\x01', sizeof text - 1);
    const char *quoted = log_quoted(text);
    assert_true(strlen(quoted) < 1024 && strlen(quoted) > 1000);
    assert_string_equal(quoted + strlen(quoted) - 8, "\\x01...\"");
    memset(text, 'x', sizeof text - 1);
    quoted = log_quoted(text);
    assert_true(strlen(quoted) < 1024 && strlen(quoted) > 1000);
    assert_string_equal(quoted + strlen(quoted) - 5, "x...\"");
}

static void say_much(void *arg)
{
    log_error("long", "text=%s", (const char *)arg);
}

static void test_long_lines_are_cut(void **state)
{
    (void)state;
    static char text[10000];
    struct child child;
    memset(text, 'x', sizeof text - 1);
    child_run(&child, say_much, text);
    assert_true(strlen(child.err) <= 4096);
    assert_int_equal(count_lines(child.err), 1);
}

static void give_up(void *arg)
{
    (void)arg;
    log_open("frameq-test");
    log_fatal(2, "no %s\nhere", "way");
}

static void test_fatal(void **state)
{
    (void)state;
    struct child child;
    child_run(&child, give_up, NULL);
    assert_int_equal(child.code, 2);
    assert_string_equal(child.err, "frameq-test: no way here\n");
    assert_string_equal(child.out, "");
}

static void say_json(void *arg)
{
    log_open("frameq-test");
    log_format("json");
    log_info("lease_taken", "lease=%d-%d job=%s frames=1-20x1 text=%s", 7, 12,
             "abc", log_quoted(arg));
    log_warn("loose", "text=%s n=%d", "two\nlines\x1b\xff", 7);
    log_fatal(1, "no %s\nhere", "\"way\"");
}

/* The text of a member of the next line, which is JSON by itself. */
static json_t *next_line(char **at)
{
    char *end = strchr(*at, '\n');
    assert_non_null(end);
    *end = '\0';
    json_t *line = json_loads(*at, JSON_REJECT_DUPLICATES, NULL);
    if (line == NULL)
        fail_msg("no JSON: %s", *at);
    *at = end + 1;
    return line;
}

static const char *member(const json_t *line, const char *name)
{
    const char *text = json_string_value(json_object_get(line, name));
    return text == NULL ? "(none)" : text;
}

static void test_json(void **state)
{
    (void)state;
    struct child child;
    char text[] = "a \"b\"\\ \u00e4\t\x01 c=d \xc3(";
    child_run(&child, say_json, text);
    char *at = child.err;
    json_t *line = next_line(&at);
    assert_true(clock_parse(member(line, "time")) > 0);
    assert_string_equal(member(line, "level"), "info");
    assert_string_equal(member(line, "program"), "frameq-test");
    assert_string_equal(member(line, "event"), "lease_taken");
    assert_string_equal(member(line, "lease"), "7-12");
    assert_string_equal(member(line, "frames"), "1-20x1");
    assert_string_equal(member(line, "text"),
                        "a \"b\"\\ \u00e4\t\x01 c=d \ufffd(");
    json_decref(line);
    line = next_line(&at);
    assert_string_equal(member(line, "text"), "two\nlines\x1b\ufffd");
    assert_string_equal(member(line, "n"), "7");
    json_decref(line);
    line = next_line(&at);
    assert_string_equal(member(line, "event"), "fatal");
    assert_string_equal(member(line, "text"), "no \"way\"\nhere");
    json_decref(line);
    assert_string_equal(at, "");
    assert_int_equal(child.code, 1);
}

static void assert_json(const char *line, size_t size)
{
    char text[512];
    memset(text, 'X', sizeof text);
    size_t len = log_json(line, text, size);
    assert_true(len < size && text[len - 1] == '\n' && text[len] == '\0');
    assert_int_equal(text[size], 'X');
    json_t *object = json_loads(text, 0, NULL);
    if (!json_is_object(object))
        fail_msg("no object: %s of %s", text, line);
    json_decref(object);
}

/* Whatever the line, however little room. */
static void test_json_of_odd_lines(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " ",
        "=",
        "a=",
        "a=\"",
        "a=\"\\",
        "a=\\",
        "a=\"\\x",
        "a=\"\\x1\"",
        "a=b c=d",
        "word",
        "word a=b",
        "a=b word",
        "a=\xff\xfe",
        "a=\xed\xa0\x80",
        "a=\"\\xff\"",
    };
    static const char bytes[] = "ab=\"\\ xn\n\xc3\xa4\xf0\x9f";
    char line[200];
    unsigned seed = 7;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_json(rows[i], 64);
    for (int i = 0; i < 20000; i++) {
        size_t n = (size_t)i % sizeof line;
        for (size_t k = 0; k < n; k++) {
            seed = seed * 1103515245 + 12345;
            line[k] = bytes[(seed >> 16) % (sizeof bytes - 1)];
        }
        line[n < sizeof line ? n : n - 1] = '\0';
        assert_json(line, 64 + (size_t)i % 300);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_quoted),
        cmocka_unit_test(test_quoted_is_cut),
        cmocka_unit_test(test_long_lines_are_cut),
        cmocka_unit_test(test_fatal),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_of_odd_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
