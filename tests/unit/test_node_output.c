/* SPDX-License-Identifier: Apache-2.0
 *
 * What Blender prints, as a log, as progress, and as a reason; and the verdict
 * over a Blender that ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "common/limits.h"
#include "node/blender.h"
#include "node/output.h"
#include "node/ring.h"
#include "node/verdict.h"

static void say(struct output *output, const char *text)
{
    output_add(output, text, strlen(text));
}

static const char *log_of(const struct output *output, size_t most)
{
    static char text[8192];
    struct buf log;
    buf_init(&log, LIMIT_LOG);
    output_log(output, most, &log);
    snprintf(text, sizeof text, "%s", buf_text(&log));
    buf_free(&log);
    return text;
}

static void ring_keeps_the_last(void **state)
{
    (void)state;
    struct ring ring = {0};
    struct buf out;
    buf_init(&out, LIMIT_LOG + 1);
    char block[1000];
    for (int i = 0; i < 1000; i++) {
        memset(block, 'a' + i % 26, sizeof block);
        ring_add(&ring, block, sizeof block);
    }
    ring_copy(&ring, LIMIT_LOG + 1, &out);
    assert_int_equal(out.len, LIMIT_LOG);
    assert_int_equal(out.data[LIMIT_LOG - 1], 'a' + 999 % 26);
    assert_int_equal(out.data[0], 'a' + (1000000 - LIMIT_LOG) / 1000 % 26);
    buf_clear(&out);
    ring_copy(&ring, 3, &out);
    assert_int_equal(out.len, 3);
    ring_done(&ring);
    buf_clear(&out);
    ring_copy(&ring, 10, &out);
    assert_int_equal(out.len, 0);
    buf_free(&out);
}

static void ring_takes_more_than_it_holds(void **state)
{
    (void)state;
    static char big[LIMIT_LOG + 10];
    struct ring ring = {0};
    struct buf out;
    buf_init(&out, LIMIT_LOG);
    memset(big, 'x', sizeof big);
    big[sizeof big - 1] = 'y';
    ring_add(&ring, "before", 6);
    ring_add(&ring, big, sizeof big);
    ring_copy(&ring, LIMIT_LOG, &out);
    assert_int_equal(out.len, LIMIT_LOG);
    assert_int_equal(out.data[0], 'x');
    assert_int_equal(out.data[LIMIT_LOG - 1], 'y');
    buf_free(&out);
    ring_done(&ring);
}

static void progress(void **state)
{
    (void)state;
    struct output output = {0};
    say(&output, "Fra:12 Mem:10M (Peak 11M) | Time:00:00.39 | Sam");
    assert_true(output_fraction(&output, 12) == 0);
    say(&output, "ple 3/12\n");
    assert_true(output_fraction(&output, 12) == 0.25);
    assert_true(output_fraction(&output, 13) == 0);
    say(&output, "Fra:12 Mem:10M | Sample 9/0\nFra:12 | Sample x\n");
    assert_true(output_fraction(&output, 12) == 0.25);
    output_forget(&output);
    assert_true(output_fraction(&output, 12) == 0);
    output_done(&output);
}

static void log_without_repeats(void **state)
{
    (void)state;
    struct output output = {0};
    say(&output, "Read blend: /a\nFra:1 | one\nFra:1 | two\nSaved: 'x'\n");
    assert_string_equal(log_of(&output, 4096),
                        "Read blend: /a\nFra:1 | two\nSaved: 'x'\n");
    say(&output, "Fra:2 | three\npart");
    assert_string_equal(
        log_of(&output, 4096),
        "Read blend: /a\nFra:1 | two\nSaved: 'x'\nFra:2 | three\npart");
    assert_string_equal(log_of(&output, 22), "'x'\nFra:2 | three\npart");
    output_done(&output);
}

static void words_of_failure(void **state)
{
    (void)state;
    struct output output = {0};
    say(&output, "Info: LIB: Object: 'Chair' missing from '/l.blend', parent "
                 "'<direct>'\nLIB: Mesh: 'M' missing from '/m.blend'\n");
    assert_string_equal(output.missing, "Object: 'Chair' missing from "
                                        "'/l.blend', Mesh: 'M' missing from "
                                        "'/m.blend'");
    say(&output, "Error: first\nError: second\n");
    assert_string_equal(output.error, "second");
    assert_false(output.hints[FAULT_DISK_FULL]);
    say(&output, "x: No space left on device\n");
    assert_true(output.hints[FAULT_DISK_FULL]);
    output_done(&output);
}

static void lines_without_end(void **state)
{
    (void)state;
    struct output output = {0};
    char block[5000];
    memset(block, 'z', sizeof block);
    for (int i = 0; i < 100; i++)
        output_add(&output, block, sizeof block);
    say(&output, "\nError: after\n");
    assert_string_equal(output.error, "after");
    output_done(&output);
}

static enum fault judge(struct output *output, int status, bool opened)
{
    char text[LIMIT_REASON];
    return verdict_make(status, opened, output, text, sizeof text);
}

static int exited(int code)
{
    return code << 8; /* as waitpid gives it */
}

static void verdicts(void **state)
{
    (void)state;
    struct output plain = {0};
    assert_int_equal(judge(&plain, SIGSEGV, true), FAULT_CRASH);
    assert_int_equal(judge(&plain, exited(128 + SIGSEGV), true), FAULT_CRASH);
    assert_int_equal(judge(&plain, SIGKILL, true), FAULT_OUT_OF_MEMORY);
    assert_int_equal(judge(&plain, exited(BLENDER_NO_EXEC), false),
                     FAULT_NO_BLENDER);
    assert_int_equal(judge(&plain, exited(1), true), FAULT_RENDER);
    assert_int_equal(judge(&plain, exited(0), true), FAULT_RENDER);
    assert_int_equal(verdict_exit(SIGSEGV), 139);
    assert_int_equal(verdict_exit(exited(3)), 3);
}

static void verdicts_by_words(void **state)
{
    (void)state;
    struct output output = {0};
    say(&output, "Error: Cannot read file '/a.blend': No such file\n");
    char text[LIMIT_REASON];
    assert_int_equal(verdict_make(exited(1), false, &output, text, sizeof text),
                     FAULT_BAD_BLEND);
    assert_string_equal(text, "Cannot read file '/a.blend': No such file");
    output_done(&output);
    say(&output, "Warning: No OpenGL vendor detected.\n");
    assert_int_equal(judge(&output, SIGABRT, true), FAULT_BAD_ENGINE);
    output_done(&output);
    say(&output, "Malloc returns null: len=9 in x, total 8\n");
    assert_int_equal(judge(&output, SIGSEGV, true), FAULT_OUT_OF_MEMORY);
    output_done(&output);
}

static void refined(void **state)
{
    (void)state;
    struct output output = {0};
    assert_int_equal(verdict_refine(FAULT_RENDER, &output, "/"), FAULT_RENDER);
    say(&output, "/x/f.png: Read-only file system\n");
    assert_int_equal(verdict_refine(FAULT_RENDER, &output, "/"),
                     FAULT_UNWRITABLE);
    say(&output, "write: No space left on device\n");
    assert_int_equal(verdict_refine(FAULT_RENDER, &output, "/"),
                     FAULT_DISK_FULL);
    assert_int_equal(verdict_refine(FAULT_NO_CAMERA, &output, "/"),
                     FAULT_NO_CAMERA);
    assert_int_equal(verdict_of_errno(ENOSPC), FAULT_DISK_FULL);
    assert_int_equal(verdict_of_errno(EROFS), FAULT_UNWRITABLE);
    output_done(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_keeps_the_last),
        cmocka_unit_test(ring_takes_more_than_it_holds),
        cmocka_unit_test(progress),
        cmocka_unit_test(log_without_repeats),
        cmocka_unit_test(words_of_failure),
        cmocka_unit_test(lines_without_end),
        cmocka_unit_test(verdicts),
        cmocka_unit_test(verdicts_by_words),
        cmocka_unit_test(refined),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
