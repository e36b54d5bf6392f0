/* SPDX-License-Identifier: Apache-2.0
 *
 * Where webhooks may go, address by address.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>

#include "broker/hooks/hook_gate.h"

static bool admits(const struct hook_gate *gate, const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
        return hook_gate_admits(gate, (const struct sockaddr *)&v4);
    assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
    return hook_gate_admits(gate, (const struct sockaddr *)&v6);
}

static void addresses(void **state)
{
    static const char *const shut[] = {
        "0.0.0.0",
        "127.0.0.1",
        "127.255.255.255",
        "169.254.169.254",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fec0::1",
        "fd00:ec2::254",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::127.0.0.1",
        "64:ff9b::169.254.169.254",
        "2002:7f00:1::",
    };
    static const char *const open[] = {
        "192.0.2.1",   "10.0.0.1",         "172.16.0.1",      "100.100.100.201",
        "2001:db8::1", "::ffff:192.0.2.1", "2002:c000:201::", "fd00::1",
    };
    const struct hook_gate gate = {0};
    (void)state;
    for (size_t i = 0; i < sizeof shut / sizeof *shut; i++)
        assert_false(admits(&gate, shut[i]));
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        assert_true(admits(&gate, open[i]));
    struct sockaddr other = {.sa_family = AF_UNIX};
    assert_false(hook_gate_admits(&gate, &other));
}

static void allowed(void **state)
{
    static const char *const rules[] = {"127.1.2.0/23", "::1", "hooks.local"};
    const struct hook_gate gate = {rules, 3};
    (void)state;
    assert_true(admits(&gate, "127.1.2.0"));
    assert_true(admits(&gate, "127.1.3.255"));
    assert_false(admits(&gate, "127.1.4.0"));
    assert_false(admits(&gate, "127.1.1.255"));
    assert_true(admits(&gate, "::ffff:127.1.2.1"));
    assert_true(admits(&gate, "64:ff9b::127.1.2.1"));
    assert_true(admits(&gate, "::1"));
    assert_false(admits(&gate, "fe80::1"));
    assert_true(hook_gate_knows(&gate, "Hooks.LOCAL"));
    assert_false(hook_gate_knows(&gate, "hooks.local.example"));
    assert_false(hook_gate_knows(&gate, "::1"));
}

static void rules(void **state)
{
    static const char *const good[] = {"10.0.0.0/8", "10.0.0.1",  "::1/128",
                                       "fd00::/8",   "0.0.0.0/0", "a.example"};
    static const char *const bad[] = {"",         "10.0.0.0/33", "::/129",
                                      "10.0/x",   "a b",         "10.0.0.0/-1",
                                      "http://a", "a/24"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_null(hook_gate_is_rule(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_non_null(hook_gate_is_rule(bad[i]));
}

#define TEST(name) cmocka_unit_test(name)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(addresses), TEST(allowed),
                                       TEST(rules)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
