/* SPDX-License-Identifier: Apache-2.0
 *
 * Frame expressions: what is taken, what is refused with which words, and
 * numbers against ordinals.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/frames.h"
#include "common/limits.h"

static struct frames parsed(const char *text)
{
    struct frames frames = {0};
    char why[256] = "";
    if (!frames_parse(text, &frames, why, sizeof why))
        fail_msg("%s: %s", text, why);
    return frames;
}

static void assert_text(const struct frames *frames, const char *text)
{
    struct buf out;
    buf_init(&out, LIMIT_FRAMES_TEXT);
    frames_text(frames, &out);
    assert_string_equal(buf_text(&out), text);
    buf_free(&out);
}

static void test_canonical_text(void **state)
{
    (void)state;
    static const struct {
        const char *text, *canonical;
        int count;
    } rows[] = {
        {"7", "7", 1},
        {"0", "0", 1},
        {"1-100", "1-100", 100},
        {"1-100x5", "1-96x5", 20},
        {"1-100x5,200", "1-96x5,200", 21},
        {"3,9", "3,9", 2},
        {"3,6,9", "3-9x3", 3},
        {"3-9x6", "3,9", 2},
        {"5-5", "5", 1},
        {"5-7x9", "5", 1},
        {"10,1-3", "1-3,10", 4},
        {"1-10,5-20,20", "1-20", 20},
        {" 1 ,\t2-3 ", "1-3", 3},
        {"1,1,1", "1", 1},
        {"1-9x2,2-10x2", "1-10", 10},
        {"1048574", "1048574", 1},
        {"1048572-1048574", "1048572-1048574", 3},
        {"1048570-1048574x2", "1048570-1048574x2", 3},
        {"0-1048574", "0-1048574", 1048575},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frames frames = parsed(rows[i].text);
        assert_text(&frames, rows[i].canonical);
        assert_int_equal(frames.count, rows[i].count);
        frames_free(&frames);
    }
}

static void assert_refused(const char *text, const char *reason)
{
    struct frames frames = {0};
    char why[256] = "";
    assert_false(frames_parse(text, &frames, why, sizeof why));
    assert_string_equal(why, reason);
    assert_null(frames.at);
}

static void test_refusals_name_the_part(void **state)
{
    (void)state;
    static const char form[] =
        ": not a frame or a range such as 1-100 or 1-100x5";
    static const char *const malformed[] = {
        "a",     "-5",  "1-", "1--5",    "1-5x", "1-5x-1", "5x2",
        "1 - 5", "1.5", "+1", "1-5x2x3", "0x10", "1;2",    "1-5 x2"};
    char reason[128];
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        snprintf(reason, sizeof reason, "`%s`%s", malformed[i], form);
        assert_refused(malformed[i], reason);
    }
    assert_refused("10-1", "`10-1`: starts after it ends");
    assert_refused("1-5,10-1", "`10-1`: starts after it ends");
    assert_refused("1-5x0", "`1-5x0`: the step must be at least 1");
    assert_refused("1048575",
                   "`1048575`: past 1048574, the last frame there can be");
    assert_refused("0-1048575",
                   "`0-1048575`: past 1048574, the last frame there can be");
    assert_refused("99999999999999999999", "`99999999999999999999`: past "
                                           "1048574, the last frame there can "
                                           "be");
    assert_refused("", "empty");
    assert_refused("1,,2", "``: an empty part");
    assert_refused("1,", "``: an empty part");
    assert_refused("  ", "``: an empty part");
    assert_refused("\n", "`?`: not a frame or a range such as 1-100 or "
                         "1-100x5");
}

/* Repeats a piece until the text is len bytes long. */
static char *repeated(const char *piece, size_t len)
{
    char *text = malloc(len + 1);
    for (size_t i = 0; i < len; i++)
        text[i] = piece[i % strlen(piece)];
    text[len] = '\0';
    return text;
}

static void test_text_length_limit(void **state)
{
    (void)state;
    char *text = repeated("1,", LIMIT_FRAMES_TEXT - 1); /* ends in 1 */
    struct frames frames = parsed(text);
    assert_int_equal(frames.count, 1);
    frames_free(&frames);
    free(text);
    text = repeated("1,", LIMIT_FRAMES_TEXT + 1);
    assert_refused(text, "longer than 65536 bytes");
    free(text);
}

static void test_overlaps_are_bounded(void **state)
{
    (void)state;
    struct frames frames = parsed("0-1048574,0-1048574,0-1048574,0-1048574,"
                                  "0-1048574,0-1048574,0-1048574,0-1048574");
    assert_int_equal(frames.count, LIMIT_FRAMES);
    assert_int_equal(8 * frames.count, LIMIT_FRAMES_NAMED);
    frames_free(&frames);
    assert_refused("0-1048574,0-1048574,0-1048574,0-1048574,0-1048574,"
                   "0-1048574,0-1048574,0-1048574,5",
                   "`5`: too many overlapping ranges up to here");
}

static void test_span_limit(void **state)
{
    (void)state;
    struct buf text;
    buf_init(&text, LIMIT_FRAMES_TEXT);
    int at = 0;
    for (int i = 0; i < LIMIT_FRAME_SPANS; i++, at += 3 + i % 2)
        buf_print(&text, "%s%d-%d", i == 0 ? "" : ",", at, at + 1);
    struct frames frames = parsed(buf_text(&text));
    assert_int_equal(frames.n, LIMIT_FRAME_SPANS);
    frames_free(&frames);
    buf_print(&text, ",%d", at);
    assert_false(text.over);
    assert_refused(buf_text(&text), "more than 4096 separate ranges");
    buf_free(&text);
}

/* Every list keeps: text parses to the same, and ordinals go both ways. */
static void assert_consistent(const struct frames *frames)
{
    struct buf text;
    buf_init(&text, LIMIT_FRAMES_TEXT);
    frames_text(frames, &text);
    struct frames again = parsed(buf_text(&text));
    assert_true(frames_equal(frames, &again));
    int32_t previous = -1;
    for (int32_t i = 0; i < frames->count; i++) {
        int32_t number = frames_number(frames, i);
        assert_true(number > previous);
        assert_int_equal(frames_ordinal(frames, number), i);
        const struct span *run = frames_run(frames, i);
        assert_true(run->base <= i && run->first <= number &&
                    number <= run->last);
        for (int32_t gap = previous + 1; gap < number; gap++)
            assert_int_equal(frames_ordinal(frames, gap), -1);
        previous = number;
    }
    assert_int_equal(frames_ordinal(frames, previous + 1), -1);
    frames_free(&again);
    buf_free(&text);
}

static void test_random_lists_are_consistent(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int round = 0; round < 1000; round++) {
        char text[200] = "";
        for (int i = 0; i < 8; i++) {
            seed = seed * UINT64_C(6364136223846793005) + 1;
            int first = (int)(seed >> 40) % 60, len = (int)(seed >> 50) % 20;
            snprintf(text + strlen(text), 20, "%s%d-%dx%d", i ? "," : "", first,
                     first + len, (int)(seed >> 60) % 7 + 1);
        }
        struct frames frames = parsed(text);
        assert_consistent(&frames);
        frames_free(&frames);
    }
}

static void test_span(void **state)
{
    (void)state;
    static const int rows[][4] = {
        {1, 20, 1, 20}, {1, 100, 5, 20},          {0, 0, 1, 1}, {4, 6, 5, 1},
        {1, 4, 3, 2},   {0, 1048574, 1, 1048575}, {1, 2, 1, 2}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct frames frames = {0};
        frames_span(&frames, rows[i][0], rows[i][1], rows[i][2]);
        assert_int_equal(frames.count, rows[i][3]);
        if (frames.count < 1000)
            assert_consistent(&frames);
        frames_free(&frames);
    }
}

static void assert_selected(const char *job, const char *wanted,
                            int32_t missing, const char *found)
{
    struct frames frames = parsed(job), some = parsed(wanted);
    struct ranges set = {0};
    struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(frames_select(&frames, &some, &set), missing);
    ranges_check(&set);
    frames_list(&frames, &set, 20, &out);
    assert_string_equal(buf_text(&out), found);
    buf_free(&out);
    ranges_free(&set);
    frames_free(&frames);
    frames_free(&some);
}

static void test_select(void **state)
{
    (void)state;
    assert_selected("1-100", "10-20,33", 0, "10-20, 33");
    assert_selected("1-100x5", "1-20", 16, "1-16x5");
    assert_selected("1-100x5", "1-20x3", 5, "1, 16");
    assert_selected("1-10,20-30x2", "8-24x2", 4, "8, 10, 20-24x2");
    assert_selected("5", "1-4,6-9", 8, "");
    assert_selected("0-1048574", "0-1048574", 0, "0-1048574");
    assert_selected("0-1048574", "0-1048574x1048574", 0, "0, 1048574");
}

static void test_list(void **state)
{
    (void)state;
    struct frames frames = parsed("1-20,100-200x5");
    struct ranges set = {0};
    struct buf out;
    buf_init(&out, 1000);
    ranges_add(&set, 6, 7);
    ranges_add(&set, 11, 13); /* 12, 13 */
    ranges_add(&set, 18, 23); /* 19, 20 and 100, 105, 110 */
    ranges_add(&set, 30, 32); /* 150, 155 */
    frames_list(&frames, &set, 6, &out);
    assert_string_equal(buf_text(&out), "7, 12-13, 19-20, 100-110x5, 150, 155");
    buf_clear(&out);
    frames_list(&frames, &set, 3, &out);
    assert_string_equal(buf_text(&out), "7, 12-13, 19-20, ...");
    buf_clear(&out);
    frames_list(&frames, &(struct ranges){0}, 3, &out);
    assert_string_equal(buf_text(&out), "");
    buf_free(&out);
    ranges_free(&set);
    frames_free(&frames);
}

static void test_copy_and_equal(void **state)
{
    (void)state;
    struct frames a = parsed("1-10"), b = {0};
    assert_false(frames_equal(&a, &b));
    frames_copy(&b, &a);
    assert_true(frames_equal(&a, &b));
    assert_ptr_not_equal(a.at, b.at);
    frames_copy(&b, &b);
    assert_text(&b, "1-10");
    frames_copy(&b, &(struct frames){0});
    assert_int_equal(b.count, 0);
    assert_text(&b, "");
    frames_free(&a);
    frames_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical_text),
        cmocka_unit_test(test_refusals_name_the_part),
        cmocka_unit_test(test_text_length_limit),
        cmocka_unit_test(test_overlaps_are_bounded),
        cmocka_unit_test(test_span_limit),
        cmocka_unit_test(test_random_lists_are_consistent),
        cmocka_unit_test(test_span),
        cmocka_unit_test(test_select),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_copy_and_equal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
