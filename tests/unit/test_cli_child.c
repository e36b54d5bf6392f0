/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs beside this one: ready lines, ends, and that none is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/dev/child.h"
#include "common/app/clock.h"

#define SOON_MS 20000

static struct children *children;

static struct child *shell(const char *name, const char *script)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct child *child = children_add(children, name, "/dev/null");
    assert_true(child_start(children, child, (char *const *)(uintptr_t)argv));
    return child;
}

static enum child_news wait_for(struct child *of, struct child **ret)
{
    return child_wait(children, of, clock_now_ms() + SOON_MS, ret);
}

static void test_ready_line(void **state)
{
    (void)state;
    char text[64];
    struct child *over;
    struct child *child = shell("broker", "printf 'ready http=127.0.0.1:40 ';"
                                          "echo 'feed=127.0.0.1:43';"
                                          "exec sleep 1000");
    assert_int_equal(wait_for(child, &over), CHILD_READY_LINE);
    assert_string_equal(child_address(child, "http", text, sizeof text),
                        "127.0.0.1:40");
    assert_string_equal(child_address(child, "feed", text, sizeof text),
                        "127.0.0.1:43");
    assert_string_equal(child_address(child, "none", text, sizeof text),
                        "127.0.0.1:40");
    children_end(children, "broker", SOON_MS);
    assert_int_equal(child->pid, 0);
}

static void test_end_without_a_word(void **state)
{
    (void)state;
    struct child *over;
    char text[8];
    struct child *child = shell("node-1", "exit 3");
    enum child_news news = wait_for(child, &over);
    if (news == CHILD_READY_LINE) /* the pipe's end came first */
        fail_msg("an end of file is no ready line");
    assert_int_equal(news, CHILD_OVER);
    assert_ptr_equal(over, child);
    assert_int_equal(child->status >> 8, 3);
    assert_string_equal(child_address(child, "http", text, sizeof text), "");
}

static void test_program_that_is_not_there(void **state)
{
    (void)state;
    const char *argv[] = {"/nonexistent/frameq-node", NULL};
    struct child *over;
    struct child *child = children_add(children, "node-2", "/dev/null");
    assert_true(child_start(children, child, (char *const *)(uintptr_t)argv));
    assert_int_equal(wait_for(child, &over), CHILD_OVER);
    assert_int_equal(child->status >> 8, 127);
}

/* The number a child wrote as its ready line. */
static pid_t number_of(struct child *child)
{
    struct child *over;
    assert_int_equal(wait_for(child, &over), CHILD_READY_LINE);
    return (pid_t)strtol(child->ready, NULL, 10);
}

static void test_stubborn_child_and_its_own(void **state)
{
    (void)state;
    struct child *child = shell("agent-1", "trap '' TERM; sleep 1000 & echo $!;"
                                           "wait; sleep 1000");
    pid_t grandchild = number_of(child);
    assert_int_equal(kill(grandchild, 0), 0);
    children_end(children, "agent", 50);
    assert_int_equal(child->pid, 0);
    /* It is init's by now, or a zombie on its way there. */
    char path[64], line[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)grandchild);
    for (int64_t until_ms = clock_now_ms() + SOON_MS;;) {
        FILE *file = fopen(path, "re");
        if (file == NULL)
            break;
        if (fgets(line, sizeof line, file) == NULL)
            line[0] = '\0';
        fclose(file);
        if (strstr(line, ") Z ") != NULL || line[0] == '\0')
            break;
        assert_true(clock_now_ms() < until_ms);
    }
}

static void test_only_those_named(void **state)
{
    (void)state;
    struct child *node = shell("node-3", "exec sleep 1000");
    struct child *agent = shell("agent-3", "exec sleep 1000");
    children_end(children, "agent", SOON_MS);
    assert_int_equal(agent->pid, 0);
    assert_int_equal(kill(node->pid, 0), 0);
    children_end(children, "", SOON_MS);
    assert_int_equal(node->pid, 0);
}

static void test_deadline_and_signal(void **state)
{
    (void)state;
    struct child *over;
    assert_int_equal(child_wait(children, NULL, clock_now_ms() + 1, &over),
                     CHILD_TIME);
    kill(getpid(), SIGTERM);
    assert_int_equal(wait_for(NULL, &over), CHILD_STOP);
}

static int setup(void **state)
{
    (void)state;
    children = children_open();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    children_end(children, "", 0);
    children_close(&children);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ready_line),
        cmocka_unit_test(test_end_without_a_word),
        cmocka_unit_test(test_program_that_is_not_there),
        cmocka_unit_test(test_stubborn_child_and_its_own),
        cmocka_unit_test(test_only_those_named),
        cmocka_unit_test(test_deadline_and_signal),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
