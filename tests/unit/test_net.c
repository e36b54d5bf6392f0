/* SPDX-License-Identifier: Apache-2.0
 *
 * Which addresses nobody else can reach.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/app/net.h"

static void test_loopback(void **state)
{
    (void)state;
    static const char *const yes[] = {
        "127.0.0.1",        "127.255.255.254", "::1", "localhost", "LocalHost",
        "::ffff:127.0.0.1", "0:0:0:0:0:0:0:1"};
    static const char *const no[] = {"0.0.0.0",
                                     "126.255.255.255",
                                     "128.0.0.1",
                                     "::",
                                     "::2",
                                     "",
                                     "localhost.x",
                                     "127.0.0.1.x",
                                     "127.1",
                                     "*",
                                     "::ffff:10.0.0.1"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        if (!net_is_loopback(yes[i]))
            fail_msg("%s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (net_is_loopback(no[i]))
            fail_msg("%s", no[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_loopback)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
