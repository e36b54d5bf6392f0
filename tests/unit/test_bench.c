/* SPDX-License-Identifier: Apache-2.0
 *
 * What frameq-bench reads from the queues it is held against, cut at every
 * byte, and the medians it tells.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/bench/dialect.h"
#include "tests/bench/tally.h"

static const char *payload(void)
{
    static char text[DIALECT_PAYLOAD + 1];
    memset(text, '.', DIALECT_PAYLOAD);
    text[1] = '\r'; /* a line's end that ends no line of the protocol */
    text[2] = '\n';
    return text;
}

/* An answer is not whole before its last byte, and no longer than itself. */
static void check_answer(const struct dialect *dialect, const char *text,
                         struct slip *ret)
{
    size_t len = strlen(text);
    struct buf cut;
    buf_init(&cut, 4096);
    for (size_t n = 0; n < len; n++) {
        buf_clear(&cut);
        buf_add(&cut, text, n);
        assert_int_equal(dialect->answer(buf_text(&cut), n, ret), 0);
    }
    buf_clear(&cut);
    buf_print(&cut, "%s%s", text, text);
    assert_int_equal(dialect->answer(buf_text(&cut), cut.len, ret), len);
    buf_free(&cut);
}

static void check_job(const struct dialect *dialect, const char *head)
{
    struct buf text;
    struct slip slip = {.id = 0};
    buf_init(&text, 4096);
    buf_print(&text, "%s\r\n%s\r\n", head, payload());
    check_answer(dialect, buf_text(&text), &slip);
    assert_memory_equal(slip.payload, payload(), DIALECT_PAYLOAD);
    buf_free(&text);
}

static void check_refused(const struct dialect *dialect, const char *text)
{
    struct slip slip = {.id = 0};
    assert_int_equal(dialect->answer(text, strlen(text), &slip), -1);
}

static void test_beanstalkd(void **state)
{
    (void)state;
    struct slip slip = {.id = 0};
    check_answer(&dialect_beanstalkd, "INSERTED 17\r\n", &slip);
    check_answer(&dialect_beanstalkd, "DELETED\r\n", &slip);
    check_job(&dialect_beanstalkd, "RESERVED 18446744073709551615 300");
    check_refused(&dialect_beanstalkd, "NOT_FOUND\r\n");
    check_refused(&dialect_beanstalkd, "OUT_OF_MEMORY\r\n");
    check_refused(&dialect_beanstalkd, "RESERVED 1 299\r\n");
    check_refused(&dialect_beanstalkd, "RESERVED x 300\r\n");
}

static void test_redis(void **state)
{
    (void)state;
    struct slip slip = {.id = 0};
    check_answer(&dialect_redis, ":1\r\n", &slip);
    check_job(&dialect_redis, "$300");
    check_refused(&dialect_redis, ":0\r\n"); /* acknowledged nothing */
    check_refused(&dialect_redis, "-ERR unknown command\r\n");
    check_refused(&dialect_redis, "$-1\r\n");
    check_refused(&dialect_redis, "*-1\r\n");
}

static void test_requests(void **state)
{
    (void)state;
    struct slip slip = {.id = 9};
    struct buf out;
    buf_init(&out, 4096);
    memcpy(slip.payload, payload(), DIALECT_PAYLOAD);
    dialect_beanstalkd.ack(3, &slip, &out);
    assert_string_equal(buf_text(&out), "delete 9\r\n");
    buf_clear(&out);
    dialect_redis.take(3, &out);
    assert_string_equal(buf_text(&out), "*4\r\n$10\r\nBRPOPLPUSH\r\n$4\r\njobs"
                                        "\r\n$7\r\ntaken-3\r\n$1\r\n0\r\n");
    buf_free(&out);
}

static void test_medians(void **state)
{
    (void)state;
    struct tally tally = {.n = 0};
    assert_true(tally_median(&tally, "rate") == 0);
    tally_add(&tally, "rate", 0, 9);
    tally_add(&tally, "rate", 0, 1);
    tally_add(&tally, "ratio", 2, 0.5);
    assert_true(tally_median(&tally, "rate") == 5);
    tally_add(&tally, "rate", 0, 2);
    assert_true(tally_median(&tally, "rate") == 2);
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    tally_print(&tally, out);
    fclose(out);
    assert_string_equal(text, ",\"rate\":2,\"ratio\":0.50");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beanstalkd),
        cmocka_unit_test(test_redis),
        cmocka_unit_test(test_requests),
        cmocka_unit_test(test_medians),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
