/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that is there, and that a size no machine has ends the program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"

static void test_new_is_zeroed(void **state)
{
    (void)state;
    char *p = mem_new(1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(p[i], 0);
    mem_free(p);
    void *none = mem_new(0);
    assert_non_null(none);
    mem_free(none);
    mem_free(NULL);
}

static void test_grow_keeps(void **state)
{
    (void)state;
    int *p = mem_grow(NULL, 2, sizeof *p);
    p[0] = 7;
    p[1] = 8;
    p = mem_grow(p, 1000, sizeof *p);
    assert_int_equal(p[0], 7);
    assert_int_equal(p[1], 8);
    mem_free(p);
}

static void test_copies(void **state)
{
    (void)state;
    char *text = mem_text("hello");
    assert_string_equal(text, "hello");
    mem_free(text);
    assert_null(mem_text(NULL));
    char *bytes = mem_copy("a\0b", 3);
    assert_memory_equal(bytes, "a\0b", 3);
    mem_free(bytes);
    bytes = mem_copy(NULL, 0);
    assert_non_null(bytes);
    mem_free(bytes);
}

static void test_overflow_aborts(void **state)
{
    (void)state;
    struct rlimit no_core = {0, 0};
    int status;
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL); /* past cmocka's handler */
        setrlimit(RLIMIT_CORE, &no_core);
        mem_grow(NULL, SIZE_MAX / 2, 3);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_is_zeroed),
        cmocka_unit_test(test_grow_keeps),
        cmocka_unit_test(test_copies),
        cmocka_unit_test(test_overflow_aborts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
