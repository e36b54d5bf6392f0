/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions of the page: what a cookie stands for, and everything that ends it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/people/session.h"

static const unsigned char key[SESSION_KEY] = {1, 2, 3};
static struct tokens tokens;
static char secret[TOKEN_SECRET];

static int setup(void **state)
{
    (void)state;
    struct token token = {.name = "mira.laptop-2", .role = TOKEN_SUBMIT};
    tokens_make(&tokens, &token, secret);
    snprintf(token.name, sizeof token.name, "joe");
    tokens_make(&tokens, &token, secret);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    tokens_free(&tokens);
    return 0;
}

static const struct token *found(const unsigned char by[SESSION_KEY],
                                 const struct tokens *among, const char *value,
                                 int64_t now_ms)
{
    int64_t ends_ms = 0;
    const struct token *token =
        session_find(by, among, value, now_ms, &ends_ms);
    assert_true(token == NULL || ends_ms > now_ms);
    return token;
}

static void it_stands_for_its_token_until_its_end(void **state)
{
    (void)state;
    char value[SESSION_TEXT];
    session_write(key, &tokens.at[0], 5000, value);
    assert_ptr_equal(found(key, &tokens, value, 4999), &tokens.at[0]);
    assert_null(found(key, &tokens, value, 5000));
    assert_null(strstr(value, "fq_"));
}

static void the_longest_name_fits(void **state)
{
    (void)state;
    char value[SESSION_TEXT];
    struct token token = {.role = TOKEN_READ};
    memset(token.name, 'n', LIMIT_AGENT);
    tokens_make(&tokens, &token, secret);
    session_write(key, &tokens.at[2], INT64_MAX, value);
    assert_ptr_equal(found(key, &tokens, value, 0), &tokens.at[2]);
}

static void any_other_character_makes_it_none(void **state)
{
    (void)state;
    char value[SESSION_TEXT];
    session_write(key, &tokens.at[0], 5000, value);
    for (size_t i = 0; value[i]; i++) {
        char was = value[i];
        value[i] = was == '7' ? '8' : '7';
        assert_null(found(key, &tokens, value, 0));
        value[i] = '\0';
        assert_null(found(key, &tokens, value, 0));
        value[i] = was;
    }
    static const char *const none[] = {
        "", ".", "..", "joe", "joe.5000", "joe.5000.", "joe.x.y", "..5000.x"};
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_null(found(key, &tokens, none[i], 0));
}

static void another_key_or_token_ends_it(void **state)
{
    (void)state;
    char value[SESSION_TEXT];
    unsigned char other[SESSION_KEY] = {1, 2, 4};
    session_write(key, &tokens.at[1], 5000, value);
    assert_null(found(other, &tokens, value, 0));
    assert_true(tokens_remove(&tokens, "joe"));
    assert_null(found(key, &tokens, value, 0));
    struct token again = {.name = "joe", .role = TOKEN_ADMIN};
    tokens_make(&tokens, &again, secret);
    assert_null(found(key, &tokens, value, 0));
}

static void cookies_are_found_by_name(void **state)
{
    (void)state;
    char name[SESSION_NAME], value[SESSION_TEXT];
    char longest[2 * SESSION_TEXT];
    session_name(4000, name);
    assert_true(session_cookie("a=b; frameq-session-4000=x.1.y", name, value));
    assert_string_equal(value, "x.1.y");
    assert_true(session_cookie("frameq-session-4000=;c=d", name, value));
    assert_string_equal(value, "");
    assert_false(session_cookie(NULL, name, value));
    assert_false(session_cookie("", name, value));
    assert_false(session_cookie("frameq-session-40001=x", name, value));
    assert_false(session_cookie("xframeq-session-4000=x;;", name, value));
    assert_false(session_cookie("frameq-session-4000", name, value));
    memset(longest, 'x', sizeof longest);
    size_t at = (size_t)snprintf(longest, sizeof longest, "%s=", name);
    longest[at] = 'x';
    longest[at + SESSION_TEXT - 1] = '\0';
    assert_true(session_cookie(longest, name, value));
    assert_int_equal(strlen(value), SESSION_TEXT - 1);
    longest[at + SESSION_TEXT - 1] = 'x';
    longest[at + SESSION_TEXT] = '\0';
    assert_false(session_cookie(longest, name, value));
}

static void the_key_is_made_once_and_private(void **state)
{
    (void)state;
    char dir[] = "/tmp/frameq-session-XXXXXX", path[64], why[512];
    unsigned char first[SESSION_KEY], second[SESSION_KEY];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/sessions.key", dir);
    assert_true(session_key_open(dir, first, why, sizeof why));
    assert_true(session_key_open(dir, second, why, sizeof why));
    assert_memory_equal(first, second, SESSION_KEY);
    assert_int_equal(chmod(path, 0644), 0);
    assert_false(session_key_open(dir, second, why, sizeof why));
    assert_non_null(strstr(why, path));
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"key\":\"0102\"}", file);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
    assert_false(session_key_open(dir, second, why, sizeof why));
    unlink(path);
    rmdir(dir);
    assert_false(session_key_open(dir, second, why, sizeof why));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(it_stands_for_its_token_until_its_end),
        TEST(the_longest_name_fits),
        TEST(any_other_character_makes_it_none),
        TEST(another_key_or_token_ends_it),
        TEST(cookies_are_found_by_name),
        TEST(the_key_is_made_once_and_private),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
