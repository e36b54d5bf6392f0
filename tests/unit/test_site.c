/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose page a request is of, by its headers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/http/site.h"

static const char *const names[] = {"farm.example.com", "render.example.org."};
static const struct site site = {true, "pc1.studio.net", names, 2};

static void hosts_that_are_ours(void **state)
{
    static const char *const ours[] = {"127.0.0.1:4000",
                                       "127.0.0.1",
                                       "[::1]:4000",
                                       "10.0.0.7:4000",
                                       "localhost:4000",
                                       "LocalHost",
                                       "localhost.",
                                       "app.localhost:1",
                                       "pc1:4000",
                                       "pc1.local",
                                       "PC1.studio.net:1",
                                       "farm.example.com",
                                       "x",
                                       "Farm.Example.Com",
                                       "farm.example.com.:4000",
                                       "broker.lan",
                                       "broker.internal",
                                       "render.example.org",
                                       "",
                                       "nas.home.arpa"};
    (void)state;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        assert_true(site_is_ours(&site, ours[i]));
    assert_true(site_is_ours(&site, NULL));
}

static void hosts_that_are_not(void **state)
{
    static const char *const others[] = {
        "evil.example",      "evil.example:4000",  "127.0.0.1.evil.example",
        "evil.studio.net",   "xfarm.example.com",  "farm.example.com.evil.net",
        "evil.locallocal.x", "pc1.evil.example",   "127-0-0-1.nip.io",
        "local.evil",        "farm.example.com..", "evil.example.",
        "1.2.3.4a.b",        "localhost.evil.net"};
    char longest[300];
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(site_is_ours(&site, others[i]));
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = i + 1 == sizeof longest ? '\0' : 'a';
    assert_false(site_is_ours(&site, longest));
}

/* Off loopback a program may use any name; a browser may not. */
static void an_open_server(void **state)
{
    const struct site open = {.names = names, .n = 2};
    const char *evil = "evil.example:4000";
    (void)state;
    assert_true(site_misleads(&site, evil, NULL, NULL));
    assert_false(site_misleads(&site, "127.0.0.1:4000", "en", "none"));
    assert_false(site_misleads(&open, evil, NULL, NULL));
    assert_true(site_misleads(&open, evil, "en-GB,en;q=0.5", NULL));
    assert_true(site_misleads(&open, evil, "", NULL));
    assert_true(site_misleads(&open, evil, NULL, "same-origin"));
    assert_false(site_misleads(&open, "farm.example.com", "en", NULL));
}

static void pages(void **state)
{
    (void)state;
    assert_false(site_is_foreign(NULL, NULL, "x"));
    assert_false(site_is_foreign(NULL, "http://FARM:4000", "farm:4000"));
    assert_false(site_is_foreign(NULL, "http://[::1]:4000", "[::1]:4000"));
    assert_true(site_is_foreign(NULL, "http://evil:4000", "127.0.0.1:4000"));
    assert_true(
        site_is_foreign(NULL, "http://127.0.0.1:4001", "127.0.0.1:4000"));
    assert_true(site_is_foreign(NULL, "null", "127.0.0.1:4000"));
    assert_true(site_is_foreign(NULL, "", "127.0.0.1:4000"));
    assert_true(site_is_foreign(NULL, "http://farm", NULL));
}

/* The browser's own word, which no page can write. */
static void what_the_browser_says(void **state)
{
    const char *own = "http://farm:4000", *host = "farm:4000";
    (void)state;
    assert_true(site_is_foreign("cross-site", own, host));
    assert_true(site_is_foreign("same-site", own, host));
    assert_true(site_is_foreign("Cross-Site", NULL, host));
    assert_true(site_is_foreign("", NULL, host));
    assert_false(site_is_foreign("none", NULL, host));
    /* A proxy that gave the request another Host. */
    assert_false(site_is_foreign("same-origin", "https://farm.example.com",
                                 "127.0.0.1:4000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hosts_that_are_ours),
        cmocka_unit_test(hosts_that_are_not),
        cmocka_unit_test(an_open_server),
        cmocka_unit_test(pages),
        cmocka_unit_test(what_the_browser_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
