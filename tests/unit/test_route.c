/* SPDX-License-Identifier: Apache-2.0
 *
 * Patterns and tables of routes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "broker/people/route.h"

static void handle(struct call *call)
{
    (void)call;
}

static const struct route first[] = {
    {"GET", "/jobs/{}", handle, TOKEN_READ},
    {"POST", "/jobs/{}:cancel", handle, TOKEN_READ},
    {0},
};
static const struct route second[] = {
    {"POST", "/jobs", handle, TOKEN_READ},
    {"GET", "/jobs", handle, TOKEN_READ},
    {"GET", "/jobs/{}/frames/{}", handle, TOKEN_READ},
    {"POST", "/jobs/{}/frames:retry", handle, TOKEN_READ},
    {0},
};
static const struct route *const tables[] = {first, second, NULL};

static const struct route *find(const char *method, const char *path)
{
    struct route_params params;
    return route_find(tables, method, path, &params);
}

static void routes_are_found(void **state)
{
    (void)state;
    assert_ptr_equal(find("GET", "/jobs/a"), &first[0]);
    assert_ptr_equal(find("HEAD", "/jobs/a"), &first[0]);
    assert_ptr_equal(find("POST", "/jobs/a:cancel"), &first[1]);
    assert_ptr_equal(find("POST", "/jobs"), &second[0]);
    assert_ptr_equal(find("POST", "/jobs/a/frames:retry"), &second[3]);
}

static void others_are_not(void **state)
{
    static const char *const paths[] = {"",
                                        "/",
                                        "/jobs/",
                                        "/jobs//",
                                        "/job",
                                        "/jobs/a/",
                                        "/jobs:",
                                        "/jobs/:cancel",
                                        "/jobs/a:",
                                        "/jobs/a:cance",
                                        "/jobs/a:cancel/",
                                        "/jobs/a/frames",
                                        "/jobs/a/frames/",
                                        "/jobs/a/b"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_null(find("GET", paths[i]));
        assert_null(find("POST", paths[i]));
    }
    assert_null(find("PUT", "/jobs/a"));
    assert_null(find("get", "/jobs/a"));
}

static void parameters_are_taken(void **state)
{
    struct route_params params;
    (void)state;
    assert_true(route_match("/j/{}/f/{}", "/j/abc/f/7", &params));
    assert_string_equal(params.at[0], "abc");
    assert_string_equal(params.at[1], "7");
}

static void parameters_are_bounded(void **state)
{
    char path[LIMIT_ID + 8] = "/";
    struct route_params params;
    (void)state;
    memset(path + 1, 'a', LIMIT_ID);
    assert_true(route_match("/{}", path, &params));
    assert_int_equal(strlen(params.at[0]), LIMIT_ID);
    path[LIMIT_ID + 1] = 'a';
    assert_false(route_match("/{}", path, &params));
}

static void allowed(const char *path, const char *expected)
{
    struct buf allow;
    buf_init(&allow, 100);
    route_allow(tables, path, &allow);
    assert_string_equal(buf_text(&allow), expected);
    buf_free(&allow);
}

static void allow_lists_methods(void **state)
{
    (void)state;
    allowed("/jobs", "POST, GET, HEAD");
    allowed("/jobs/a", "GET, HEAD");
    allowed("/jobs/a:cancel", "POST");
    allowed("/none", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes_are_found),
        cmocka_unit_test(others_are_not),
        cmocka_unit_test(parameters_are_taken),
        cmocka_unit_test(parameters_are_bounded),
        cmocka_unit_test(allow_lists_methods),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
