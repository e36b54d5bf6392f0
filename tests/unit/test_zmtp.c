/* SPDX-License-Identifier: Apache-2.0
 *
 * Messages at their limits and one past them, and connections whose bytes come
 * in pieces.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "common/limits.h"
#include "common/zmtp.h"

static void a_message_has_few_parts(void **state)
{
    struct zmtp_message message = {0};
    (void)state;
    for (int i = 1; i < LIMIT_PARTS; i++)
        assert_true(zmtp_part(&message, true, 1));
    assert_true(zmtp_part(&message, false, 1));
    assert_int_equal(message.parts, 0);
    for (int i = 0; i < LIMIT_PARTS; i++)
        assert_true(zmtp_part(&message, true, 1));
    assert_false(zmtp_part(&message, false, 1));
}

static void its_parts_are_bounded_together(void **state)
{
    struct zmtp_message message = {0};
    (void)state;
    assert_true(zmtp_part(&message, true, LIMIT_TOPIC));
    assert_true(zmtp_part(&message, false, LIMIT_MESSAGE));
    assert_true(zmtp_part(&message, true, LIMIT_TOPIC));
    assert_false(zmtp_part(&message, false, LIMIT_MESSAGE + 1));
    assert_false(zmtp_part(&message, true, UINT64_MAX));
}

static const unsigned char greeting[64] = {0xff, [9] = 0x7f, 3, 1, 'N'};

/* Follows a connection from its beginning, so many bytes at once. */
static bool follow(struct zmtp_stream *stream, const void *bytes, size_t len,
                   size_t at_once)
{
    unsigned char all[512];
    memcpy(all, greeting, sizeof greeting);
    memcpy(all + sizeof greeting, bytes, len);
    len += sizeof greeting;
    *stream = (struct zmtp_stream){0};
    for (size_t at = 0; at < len; at += at_once)
        if (!zmtp_follow(stream, all + at,
                         at_once < len - at ? at_once : len - at))
            return false;
    return true;
}

static void frames_come_in_pieces(void **state)
{
    /* A command, a part of four bytes, a long part of three, the last one. */
    static const unsigned char frames[] = {4, 2, 'h', 'i', 1, 4, 1, 0xff, 0,
                                           2, 3, 0,   0,   0, 0, 0, 0,    0,
                                           3, 1, 1,   1,   0, 1, 9};
    struct zmtp_stream stream;
    (void)state;
    for (size_t at_once = 1; at_once < 100; at_once++) {
        assert_true(follow(&stream, frames, sizeof frames - 3, at_once));
        assert_int_equal(stream.message.parts, 2);
        assert_int_equal(stream.message.bytes, 7);
        assert_true(follow(&stream, frames, sizeof frames, at_once));
        assert_int_equal(stream.message.parts, 0);
        assert_int_equal(stream.head + stream.body, 0);
    }
}

static void parts_without_an_end(void **state)
{
    static const unsigned char part[] = {1, 0}, command[] = {5, 0};
    const unsigned char *const kinds[] = {part, command};
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct zmtp_stream stream;
        assert_true(follow(&stream, kinds[kind], 2, 64));
        for (int i = 1; i < LIMIT_PARTS; i++)
            assert_true(zmtp_follow(&stream, kinds[kind], 2));
        assert_false(zmtp_follow(&stream, kinds[kind], 2));
    }
}

static void commands_are_no_parts(void **state)
{
    static const unsigned char ping[] = {4, 3, 'a', 'b', 'c'};
    struct zmtp_stream stream;
    (void)state;
    assert_true(follow(&stream, ping, sizeof ping, 64));
    for (int i = 0; i < 1000; i++)
        assert_true(zmtp_follow(&stream, ping, sizeof ping));
    assert_int_equal(stream.message.parts, 0);
}

static void a_length_of_any_size(void **state)
{
    static const unsigned char large[] = {2,    0xff, 0xff, 0xff, 0xff,
                                          0xff, 0xff, 0xff, 0xff};
    struct zmtp_stream stream;
    (void)state;
    assert_false(follow(&stream, large, sizeof large, 64));
}

static void older_versions(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof greeting; at++) {
        unsigned char other[sizeof greeting];
        struct zmtp_stream stream = {0};
        memcpy(other, greeting, sizeof other);
        other[at] = at == 10 ? 2 : (unsigned char)~other[at];
        bool matters = at == 0 || at == 9 || at == 10;
        assert_int_equal(zmtp_follow(&stream, other, sizeof other), !matters);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_has_few_parts),
        cmocka_unit_test(its_parts_are_bounded_together),
        cmocka_unit_test(frames_come_in_pieces),
        cmocka_unit_test(parts_without_an_end),
        cmocka_unit_test(commands_are_no_parts),
        cmocka_unit_test(a_length_of_any_size),
        cmocka_unit_test(older_versions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
