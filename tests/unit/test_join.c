/* SPDX-License-Identifier: Apache-2.0
 *
 * The join string: written, read, and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "common/app/join.h"

#define SERVER "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"
#define SECRET "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6"

static const struct join sample = {.name = "node-1",
                                   .broker = "http://farm.example:4000",
                                   .server = SERVER,
                                   .secret = SECRET};

static void assert_round(const struct join *join)
{
    char text[JOIN_SIZE], why[160] = "";
    struct join read;
    join_write(join, text);
    assert_true(strlen(text) < JOIN_SIZE);
    assert_int_equal(strspn(text, "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"),
                     strlen(text));
    assert_true(join_read(text, &read, why, sizeof why));
    assert_string_equal(read.name, join->name);
    assert_string_equal(read.broker, join->broker);
    assert_string_equal(read.server, join->server);
    assert_string_equal(read.secret, join->secret);
    assert_int_equal(read.pinned, join->pinned);
    assert_memory_equal(read.pin, join->pin, JOIN_PIN);
    assert_null(conf_is_join(text));
}

static void written_and_read(void **state)
{
    (void)state;
    char text[JOIN_SIZE];
    assert_round(&sample);
    join_write(&sample, text);
    assert_true(strlen(text) < 150); /* to be pasted */
}

static void the_longest(void **state)
{
    (void)state;
    struct join join = sample;
    memset(join.name, 'n', LIMIT_AGENT);
    snprintf(join.broker, sizeof join.broker, "http://");
    memset(join.broker + 7, 'h', 249);
    join.broker[JOIN_URL] = '\0';
    assert_round(&join);
    join.pinned = true;
    memset(join.pin, 0xff, JOIN_PIN);
    assert_round(&join);
}

static void with_a_pin(void **state)
{
    (void)state;
    struct join join = sample;
    join.pinned = true;
    for (int i = 0; i < JOIN_PIN; i++)
        join.pin[i] = (unsigned char)i;
    assert_round(&join);
}

/* Whatever character is changed, added or lost, the string is refused. */
static void a_wrong_character(void **state)
{
    (void)state;
    char text[JOIN_SIZE], wrong[JOIN_SIZE + 1], why[160];
    struct join read;
    join_write(&sample, text);
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++) {
        memcpy(wrong, text, len + 1);
        wrong[i] = text[i] == 'A' ? 'B' : 'A';
        assert_false(join_read(wrong, &read, why, sizeof why));
        wrong[i] = '\0';
        assert_false(join_read(wrong, &read, why, sizeof why));
    }
    snprintf(wrong, sizeof wrong, "%sA", text);
    assert_false(join_read(wrong, &read, why, sizeof why));
    assert_non_null(strstr(why, "not all of one"));
    assert_non_null(conf_is_join(wrong));
}

static void a_token_of_its_own(void **state)
{
    (void)state;
    char one[TOKEN_SECRET], again[TOKEN_SECRET], other[TOKEN_SECRET];
    join_token(SECRET, one);
    join_token(SECRET, again);
    join_token(SERVER, other);
    assert_string_equal(one, again);
    assert_string_not_equal(one, other);
    assert_int_equal(strlen(one), TOKEN_SECRET - 1);
    assert_memory_equal(one, "fq_", 3);
}

static void names(void **state)
{
    (void)state;
    char name[LIMIT_AGENT + 2] = "";
    assert_null(join_is_name("a"));
    assert_null(join_is_name("A-b_9.c"));
    assert_non_null(join_is_name(""));
    assert_non_null(join_is_name("a b"));
    assert_non_null(join_is_name("a/b"));
    memset(name, 'n', LIMIT_AGENT);
    assert_null(join_is_name(name));
    name[LIMIT_AGENT] = 'n';
    assert_non_null(join_is_name(name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(the_longest),
        cmocka_unit_test(with_a_pin),
        cmocka_unit_test(a_wrong_character),
        cmocka_unit_test(a_token_of_its_own),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
