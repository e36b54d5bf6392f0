/* SPDX-License-Identifier: Apache-2.0
 *
 * Whose word counts for who sent a request: a trusted proxy's, and of a list
 * only what trusted proxies have written.
 */
#include "tests/unit/http_world.h"

#include "common/http/forwarded.h"
#include "common/limits.h"

static struct proxies read_proxies(const char *list)
{
    struct proxies proxies;
    if (!proxies_read(list, &proxies))
        fail_msg("%s", list);
    return proxies;
}

static void lists_of_proxies(void **state)
{
    (void)state;
    struct proxies proxies;
    static const char *const wrong[] = {"",
                                        ",",
                                        "10.0.0.1,",
                                        ",10.0.0.1",
                                        "10.0.0.1,,::1",
                                        "proxy.lan",
                                        "10.0.0",
                                        "10.0.0.1/33",
                                        "10.0.0.1/-1",
                                        "::1/129",
                                        "10.0.0.1:80",
                                        "[::1]",
                                        "10.0.0.1/",
                                        "10.0.0.1 10.0.0.2"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        if (proxies_read(wrong[i], &proxies))
            fail_msg("`%s` was taken", wrong[i]);
    proxies = read_proxies("127.0.0.1, 10.1.0.0/16 ,fd00::/8");
    assert_int_equal(proxies.n, 3);
    assert_true(proxies_have(&proxies, "127.0.0.1"));
    assert_true(proxies_have(&proxies, "10.1.255.3"));
    assert_true(proxies_have(&proxies, "fd12::1"));
    assert_false(proxies_have(&proxies, "127.0.0.2"));
    assert_false(proxies_have(&proxies, "10.2.0.1"));
    assert_false(proxies_have(&proxies, "::1"));
    assert_false(proxies_have(&proxies, ""));
}

static void as_many_as_the_limit(void **state)
{
    (void)state;
    struct proxies proxies;
    char list[LIMIT_PROXIES * 4 + 8] = "::1";
    for (int i = 1; i < LIMIT_PROXIES; i++)
        strncat(list, ",::1", sizeof list - strlen(list) - 1);
    assert_true(proxies_read(list, &proxies));
    assert_int_equal(proxies.n, LIMIT_PROXIES);
    strncat(list, ",::1", sizeof list - strlen(list) - 1);
    assert_false(proxies_read(list, &proxies));
}

static void the_first_that_is_not_trusted(void **state)
{
    (void)state;
    static const struct {
        const char *peer, *list, *client;
    } rows[] = {
        {"10.1.0.1", "192.0.2.7", "192.0.2.7"},
        {"10.1.0.1", "", "10.1.0.1"},
        {"10.1.0.1", "192.0.2.7, 10.1.0.2", "192.0.2.7"},
        {"10.1.0.1", "192.0.2.7,10.1.0.3 ,\t10.1.0.2", "192.0.2.7"},
        {"10.1.0.1", "6.6.6.6, 192.0.2.7", "192.0.2.7"},
        {"10.1.0.1", "10.1.0.9, 192.0.2.7, 10.1.0.2", "192.0.2.7"},
        {"10.1.0.1", "10.1.0.3, 10.1.0.2", "10.1.0.3"},
        {"10.1.0.1", "192.0.2.7, nobody, 10.1.0.2", "10.1.0.2"},
        {"10.1.0.1", "nobody", "10.1.0.1"},
        {"10.1.0.1", "192.0.2.0/24", "10.1.0.1"},
        {"10.1.0.1", "192.0.2.7,", "10.1.0.1"},
        {"10.1.0.1", "192.0.2.7, ,10.1.0.2", "10.1.0.2"},
        {"10.1.0.1", "2001:DB8::0:1", "2001:db8::1"},
        {"10.1.0.1", "::ffff:192.0.2.7", "192.0.2.7"},
        {"192.0.2.1", "6.6.6.6", "192.0.2.1"}, /* no proxy itself */
    };
    struct proxies proxies = read_proxies("10.1.0.0/16");
    char client[NET_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        forwarded_client(&proxies, rows[i].peer, rows[i].list, client);
        if (strcmp(client, rows[i].client) != 0)
            fail_msg("%s by %s: %s", rows[i].list, rows[i].peer, client);
    }
}

static void last_of_a_list(void **state)
{
    (void)state;
    assert_string_equal(forwarded_last("https"), "https");
    assert_string_equal(forwarded_last("http, \thttps"), "https");
    assert_string_equal(forwarded_last("http,"), "");
    assert_string_equal(forwarded_last(""), "");
}

/* --- Through the server. --- */

static const char told[] = "GET /origin HTTP/1.1\r\nHost: inside:1\r\n"
                           "X-Forwarded-For: 6.6.6.6\r\n"
                           "X-Forwarded-Proto: http\r\n"
                           "x-forwarded-for: 192.0.2.7\r\n"
                           "X-Forwarded-Host: farm.example.com\r\n"
                           "X-Forwarded-Proto: HTTPS\r\n\r\n";

static void told_by_a_proxy(void **state)
{
    (void)state;
    struct proxies proxies = read_proxies("127.0.0.1");
    world_open((struct httpd_options){.proxies = &proxies});
    int fd = client_open();
    exchange(fd, told, "HTTP/1.1 200",
             "\r\n192.0.2.7 farm.example.com secure passed on");
    exchange(fd, GET("/origin"), "HTTP/1.1 200", "\r\n127.0.0.1 x passed on");
    close(fd);
}

static void told_by_anybody(void **state)
{
    (void)state;
    struct proxies proxies = read_proxies("127.0.0.2");
    world_open((struct httpd_options){.proxies = &proxies});
    int fd = client_open();
    exchange(fd, told, "HTTP/1.1 200", "\r\n127.0.0.1 inside:1");
    close(fd);
}

static void told_without_proxies(void **state)
{
    (void)state;
    world_open((struct httpd_options){0});
    int fd = client_open();
    exchange(fd, told, "HTTP/1.1 200", "\r\n127.0.0.1 inside:1");
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_proxies),
        cmocka_unit_test(as_many_as_the_limit),
        cmocka_unit_test(the_first_that_is_not_trusted),
        cmocka_unit_test(last_of_a_list),
        cmocka_unit_test_teardown(told_by_a_proxy, world_teardown),
        cmocka_unit_test_teardown(told_by_anybody, world_teardown),
        cmocka_unit_test_teardown(told_without_proxies, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
