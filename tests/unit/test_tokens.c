/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of tokens: made, kept, found, taken back; and what is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/app/tokens.h"
#include "common/mem.h"

static char dir[64], path[96];

static int setup(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/frameq-tokens-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/tokens", dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unlink(path);
    assert_int_equal(rmdir(dir), 0); /* nothing else is left there */
    return 0;
}

static void make(struct tokens *tokens, const char *name, enum token_role role,
                 char ret[TOKEN_SECRET])
{
    struct token token = {.role = role, .user = "mira"};
    snprintf(token.name, sizeof token.name, "%s", name);
    tokens_make(tokens, &token, ret);
}

static void made_kept_and_found(void **state)
{
    (void)state;
    char why[512], secrets[3][TOKEN_SECRET];
    struct tokens tokens = {0}, read = {0};
    struct stat facts;
    make(&tokens, "a", TOKEN_READ, secrets[0]);
    make(&tokens, "b", TOKEN_SUBMIT, secrets[1]);
    make(&tokens, "c", TOKEN_ADMIN, secrets[2]);
    assert_true(tokens_save(&tokens, path, why, sizeof why));
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    assert_true(tokens_load(&read, path, why, sizeof why));
    assert_int_equal(read.n, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct token *token = tokens_find(&read, secrets[i]);
        assert_non_null(token);
        assert_string_equal(token->name, tokens.at[i].name);
        assert_string_equal(token->user, "mira");
        assert_string_equal(token->created, tokens.at[i].created);
        assert_int_equal(token->role, tokens.at[i].role);
        assert_int_equal(strlen(secrets[i]), TOKEN_SECRET - 1);
    }
    tokens_free(&tokens);
    tokens_free(&read);
}

static void the_file_tells_no_secret(void **state)
{
    (void)state;
    char why[512], secret[TOKEN_SECRET], text[4096] = "";
    struct tokens tokens = {0};
    make(&tokens, "a", TOKEN_READ, secret);
    assert_true(tokens_save(&tokens, path, why, sizeof why));
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_null(strstr(text, secret + 3));
    tokens_free(&tokens);
}

static void others_are_not_found(void **state)
{
    (void)state;
    char secret[TOKEN_SECRET];
    struct tokens tokens = {0};
    assert_null(tokens_find(&tokens, ""));
    make(&tokens, "a", TOKEN_READ, secret);
    assert_null(tokens_find(&tokens, ""));
    assert_null(tokens_find(&tokens, "fq_"));
    secret[10] = secret[10] == 'A' ? 'B' : 'A';
    assert_null(tokens_find(&tokens, secret));
    tokens_free(&tokens);
}

static void taken_back(void **state)
{
    (void)state;
    char first[TOKEN_SECRET], second[TOKEN_SECRET];
    struct tokens tokens = {0};
    make(&tokens, "a", TOKEN_READ, first);
    make(&tokens, "b", TOKEN_READ, second);
    assert_false(tokens_remove(&tokens, "c"));
    assert_true(tokens_remove(&tokens, "a"));
    assert_null(tokens_find(&tokens, first));
    assert_non_null(tokens_find(&tokens, second));
    assert_null(tokens_named(&tokens, "a"));
    assert_non_null(tokens_named(&tokens, "b"));
    tokens_free(&tokens);
}

static void put(const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TOKEN(name, role, hash)                                                \
    "{\"name\":\"" name "\",\"user\":\"u\",\"role\":\"" role                   \
    "\",\"created\":\"t\",\"hash\":\"" hash "\"}"

static void what_is_no_file_of_tokens(void **state)
{
    (void)state;
    static const struct {
        const char *text, *reason;
    } rows[] = {
        {"", "JSON"},
        {"[]", "object"},
        {"{}", "not a file of tokens"},
        {"{\"tokens\":{}}", "not a file of tokens"},
        {"{\"tokens\":[],\"more\":1}", "not a file of tokens"},
        {"{\"tokens\":[1]}", "no object"},
        {"{\"tokens\":[{}]}", "lacks a field"},
        {"{\"tokens\":[" TOKEN("a b", "read", HASH) "]}", "`name`"},
        {"{\"tokens\":[" TOKEN("a", "none", HASH) "]}", "`role`"},
        {"{\"tokens\":[" TOKEN("a", "root", HASH) "]}", "`role`"},
        {"{\"tokens\":[" TOKEN("a", "read", "00") "]}", "`hash`"},
        {"{\"tokens\":[" TOKEN("a", "read", HASH) "," TOKEN("a", "admin",
                                                            HASH) "]}",
         "two tokens are named a"},
    };
    char why[512], secret[TOKEN_SECRET];
    struct tokens tokens = {0};
    make(&tokens, "kept", TOKEN_READ, secret);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put(rows[i].text, 0600);
        assert_false(tokens_load(&tokens, path, why, sizeof why));
        assert_non_null(strstr(why, path));
        if (strstr(why, rows[i].reason) == NULL)
            fail_msg("%s: %s", rows[i].text, why);
        assert_non_null(tokens_find(&tokens, secret));
    }
    tokens_free(&tokens);
}

static void others_must_not_read_it(void **state)
{
    (void)state;
    char why[512];
    struct tokens tokens = {0};
    put("{\"tokens\":[]}", 0640);
    assert_false(tokens_load(&tokens, path, why, sizeof why));
    assert_non_null(strstr(why, "0600"));
    assert_int_equal(chmod(path, 0600), 0);
    assert_true(tokens_load(&tokens, path, why, sizeof why));
    assert_int_equal(tokens.n, 0);
}

/* LIMIT_TOKENS, and one past it. */
static void so_many_and_no_more(void **state)
{
    (void)state;
    char why[512], secret[TOKEN_SECRET], name[16];
    struct tokens tokens = {0}, read = {0};
    for (int i = 0; i < LIMIT_TOKENS; i++) {
        snprintf(name, sizeof name, "t%d", i);
        make(&tokens, name, TOKEN_READ, secret);
    }
    assert_true(tokens_save(&tokens, path, why, sizeof why));
    assert_true(tokens_load(&read, path, why, sizeof why));
    assert_int_equal(read.n, LIMIT_TOKENS);
    tokens.n--;
    make(&tokens, "last", TOKEN_READ, secret);
    tokens.at = mem_grow(tokens.at, tokens.n + 1, sizeof *tokens.at);
    tokens.at[tokens.n] = tokens.at[0];
    snprintf(tokens.at[tokens.n++].name, LIMIT_AGENT, "more");
    assert_true(tokens_save(&tokens, path, why, sizeof why));
    assert_false(tokens_load(&read, path, why, sizeof why));
    assert_non_null(strstr(why, "more than"));
    tokens_free(&tokens);
    tokens_free(&read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(made_kept_and_found, setup, teardown),
        cmocka_unit_test_setup_teardown(the_file_tells_no_secret, setup,
                                        teardown),
        cmocka_unit_test(others_are_not_found),
        cmocka_unit_test(taken_back),
        cmocka_unit_test_setup_teardown(what_is_no_file_of_tokens, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(others_must_not_read_it, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(so_many_and_no_more, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
