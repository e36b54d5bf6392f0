/* SPDX-License-Identifier: Apache-2.0
 *
 * The watcher's end of the feed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/watch/feed.h"

enum { OFTEN = 100 };

/* libzmq lets go of a closed socket's name some time later, in a thread of its
 * own: one feed after another found the monitor's name taken, and `frameq
 * watch` ended where it was to connect again. */
static void test_opened_as_often_as_lost(void **state)
{
    (void)state;
    json_t *facts = json_pack("{s:i}", "port", 1);
    for (int i = 0; i < OFTEN; i++) {
        struct feed *feed = feed_open("127.0.0.1", facts);
        assert_non_null(feed);
        feed_close(&feed);
    }
    json_decref(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opened_as_often_as_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
