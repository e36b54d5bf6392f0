/* SPDX-License-Identifier: Apache-2.0
 *
 * The wire to Blender's driver, and a driver that has gone mad.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "node/channel.h"

static void tell(int driver, const char *bytes, size_t n)
{
    assert_int_equal(send(driver, bytes, n, MSG_NOSIGNAL), n);
}

static void lines(void **state)
{
    (void)state;
    struct channel channel;
    int driver = channel_open(&channel);
    assert_true(driver >= 0);
    static const char text[] = "\n[1]\nnope\n{\"a\":1}\n{\"a\":";
    tell(driver, text, strlen(text));
    json_t *event = channel_next(&channel);
    assert_int_equal(json_integer_value(json_object_get(event, "a")), 1);
    json_decref(event);
    assert_null(channel_next(&channel));
    assert_true(channel.fd >= 0);
    close(driver);
    assert_null(channel_next(&channel));
    assert_int_equal(channel.fd, -1);
    channel_close(&channel);
}

/* A line of LIMIT_EVENT bytes is read; a byte more breaks the channel. */
static void long_lines(void **state)
{
    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        struct channel channel;
        size_t n = LIMIT_EVENT + (size_t)extra;
        char *line = mem_new(n);
        int driver = channel_open(&channel);
        memset(line, ' ', n);
        line[0] = '{';
        line[1] = '}';
        line[n - 1] = '\n';
        for (size_t at = 0; at < n; at += 32768) {
            tell(driver, line + at, n - at < 32768 ? n - at : 32768);
            json_t *event = channel_next(&channel);
            assert_int_equal(event != NULL, extra == 0 && n - at <= 32768);
            json_decref(event);
        }
        assert_int_equal(channel.fd >= 0, extra == 0);
        mem_free(line);
        close(driver);
        channel_close(&channel);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines),
        cmocka_unit_test(long_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
