/* SPDX-License-Identifier: Apache-2.0
 *
 * Which addresses nobody else can reach; nets, and addresses as texts.
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

static void test_nets(void **state)
{
    (void)state;
    static const struct {
        const char *net, *address;
        bool has;
    } rows[] = {
        {"10.1.0.0/16", "10.1.255.255", true},
        {"10.1.0.0/16", "10.2.0.0", false},
        {"10.1.0.0/16", "::ffff:10.1.2.3", true},
        {"10.1.2.3", "10.1.2.3", true},
        {"10.1.2.3", "10.1.2.2", false},
        {"0.0.0.0/0", "255.1.2.3", true},
        {"0.0.0.0/0", "::1", false},
        {"fe80::/10", "febf::1", true},
        {"fe80::/10", "fec0::1", false},
        {"::/0", "10.1.2.3", true},
    };
    struct net net, address;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(net_parse(rows[i].net, &net));
        assert_true(net_parse(rows[i].address, &address));
        if (net_has(&net, address.at) != rows[i].has)
            fail_msg("%s in %s", rows[i].address, rows[i].net);
    }
}

static void test_texts(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"10.1.2.3", "10.1.2.3"},
                                          {"::ffff:10.1.2.3", "10.1.2.3"},
                                          {"2001:DB8::0", "2001:db8::"},
                                          {"::1", "::1"}};
    struct net net;
    char text[NET_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_true(net_parse(rows[i][0], &net));
        net_text(net.at, text);
        assert_string_equal(text, rows[i][1]);
    }
    assert_false(net_parse("10.1.2", &net));
    assert_false(net_parse("10.1.2.3/", &net));
    assert_false(net_parse("10.1.2.3/33", &net));
    assert_false(net_parse("::/129", &net));
    assert_false(net_parse("farm", &net));
    assert_false(net_parse("", &net));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_loopback),
                                       cmocka_unit_test(test_nets),
                                       cmocka_unit_test(test_texts)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
