/* SPDX-License-Identifier: Apache-2.0
 *
 * The table of keys: kept, taken back, and what each opens.
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
#include <zmq.h>

#include "broker/agents/zap.h"
#include "common/app/private.h"

static char dir[64], path[80], why[LIMIT_REASON];

static int setup(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/frameq-keys-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/keys", dir);
    *state = keys_open(dir, why, sizeof why);
    assert_non_null(*state);
    return 0;
}

static int teardown(void **state)
{
    struct keys *keys = *state;
    keys_close(&keys);
    unlink(path);
    assert_int_equal(rmdir(dir), 0); /* nothing else is left there */
    return 0;
}

/* Writes the file; returns whether that went well, as keys_end is told. */
static bool end_change(struct keys *keys)
{
    json_t *root = keys_file(keys);
    bool ok = private_write(keys_path(keys), root, why, sizeof why);
    json_decref(root);
    keys_end(keys, ok);
    return ok;
}

static void take_away(struct keys *keys, const char *name)
{
    assert_int_equal(keys_remove(keys, name, why, sizeof why), RC_OK);
    assert_null(keys_named(keys, name)); /* at once */
    assert_true(end_change(keys));
}

static void add(struct keys *keys, const char *name,
                char ret_public[CURVE_KEY_SIZE],
                char ret_secret[CURVE_KEY_SIZE])
{
    assert_int_equal(keys_add(keys, name, ret_secret, why, sizeof why), RC_OK);
    assert_true(end_change(keys));
    zmq_curve_public(ret_public, ret_secret);
}

static bool admits(struct keys *keys, const char *domain, const char *public)
{
    return zap_admits(keys, domain, public, "192.0.2.1");
}

static void a_key_opens_its_own_doors(void **state)
{
    struct keys *keys = *state;
    char a[CURVE_KEY_SIZE], b[CURVE_KEY_SIZE], secret[CURVE_KEY_SIZE];
    add(keys, "a", a, secret);
    add(keys, "ab", b, secret);
    assert_true(admits(keys, "status", a));
    assert_true(admits(keys, "control", a));
    assert_true(admits(keys, "lane:a", a));
    assert_false(admits(keys, "lane:ab", a));
    assert_false(admits(keys, "lane:a", b));
    assert_false(admits(keys, "lane:", a));
    assert_false(admits(keys, "feed", a));
    assert_false(admits(keys, "", a));
    assert_false(admits(keys, "statuses", a));
}

static void the_watchers_key_opens_the_feed(void **state)
{
    struct keys *keys = *state;
    char before[CURVE_KEY_SIZE];
    memcpy(before, keys_watch_public(keys), sizeof before);
    assert_true(admits(keys, "feed", before));
    assert_false(admits(keys, "status", before));
    assert_false(admits(keys, "control", before));
    assert_false(admits(keys, "lane:a", before));
    keys_renew_watch(keys);
    assert_false(admits(keys, "feed", before));
    assert_true(admits(keys, "feed", keys_watch_public(keys)));
}

static void strangers(void **state)
{
    struct keys *keys = *state;
    char public[CURVE_KEY_SIZE], secret[CURVE_KEY_SIZE];
    zmq_curve_keypair(public, secret);
    assert_false(admits(keys, "status", public));
    assert_false(admits(keys, "status", ""));
    assert_false(admits(keys, "status", keys_server_public(keys)));
    assert_null(keys_find(keys, "short"));
    assert_null(keys_token(keys, ""));
    assert_null(keys_token(keys, "fq_no"));
}

static void kept(void **state)
{
    struct keys *keys = *state, *again;
    struct stat facts;
    char public[CURVE_KEY_SIZE], secret[CURVE_KEY_SIZE], token[TOKEN_SECRET];
    add(keys, "a", public, secret);
    assert_int_equal(stat(path, &facts), 0);
    assert_int_equal(facts.st_mode & 0777, 0600);
    again = keys_open(dir, why, sizeof why);
    assert_non_null(again);
    assert_string_equal(keys_server_secret(again), keys_server_secret(keys));
    assert_string_equal(keys_server_public(again), keys_server_public(keys));
    assert_string_not_equal(keys_watch_public(again), keys_watch_public(keys));
    assert_string_equal(keys_find(again, public)->token.name, "a");
    join_token(secret, token);
    assert_int_equal(keys_token(again, token)->role, TOKEN_AGENT);
    assert_string_equal(keys_token(again, token)->name, "a");
    keys_close(&again);
}

static void taken_back(void **state)
{
    struct keys *keys = *state;
    struct cut cut;
    char public[CURVE_KEY_SIZE], secret[CURVE_KEY_SIZE], token[TOKEN_SECRET];
    add(keys, "a", public, secret);
    join_token(secret, token);
    assert_true(zap_admits(keys, "status", public, "192.0.2.1"));
    assert_true(zap_admits(keys, "control", public, "192.0.2.1"));
    assert_true(
        zap_admits(keys, "feed", keys_watch_public(keys), "2001:db8::1"));
    assert_false(keys_cut(keys, &cut));
    take_away(keys, "a");
    assert_false(admits(keys, "status", public));
    assert_null(keys_token(keys, token));
    assert_true(keys_cut(keys, &cut));
    assert_string_equal(cut.agent, "a");
    assert_int_equal(cut.places.n, 1);
    assert_string_equal(cut.places.at[0], "192.0.2.1");
    assert_true(keys_cut(keys, &cut)); /* it may have known the watchers' key */
    assert_string_equal(cut.agent, "");
    assert_string_equal(cut.places.at[0], "2001:db8::1");
    assert_false(keys_cut(keys, &cut));
    assert_int_equal(keys_remove(keys, "a", why, sizeof why), RC_NOT_FOUND);
    add(keys, "a", public, secret);
    assert_true(admits(keys, "status", public));
}

static void from_too_many_places(void **state)
{
    struct keys *keys = *state;
    struct cut cut;
    char public[CURVE_KEY_SIZE], secret[CURVE_KEY_SIZE], address[32];
    add(keys, "a", public, secret);
    for (int i = 0; i < 10; i++) {
        snprintf(address, sizeof address, "192.0.2.%d", i);
        assert_true(zap_admits(keys, "status", public, address));
    }
    take_away(keys, "a");
    assert_true(keys_cut(keys, &cut));
    assert_int_equal(cut.places.n, KEY_PLACES + 1);
}

static void one_key_a_name(void **state)
{
    struct keys *keys = *state;
    char public[CURVE_KEY_SIZE], secret[CURVE_KEY_SIZE];
    add(keys, "a", public, secret);
    assert_int_equal(keys_add(keys, "a", secret, why, sizeof why), RC_CONFLICT);
    assert_non_null(strstr(why, "frameq agents remove a"));
}

/* The file cannot be written: nothing has changed. */
static void a_disk_that_refuses(void **state)
{
    struct keys *keys = *state;
    char public[CURVE_KEY_SIZE], secret[CURVE_KEY_SIZE];
    add(keys, "a", public, secret);
    unlink(path);
    rmdir(dir);
    assert_int_equal(keys_add(keys, "b", secret, why, sizeof why), RC_OK);
    assert_false(end_change(keys));
    assert_null(keys_named(keys, "b"));
    assert_int_equal(keys_remove(keys, "a", why, sizeof why), RC_OK);
    assert_false(admits(keys, "status", public));
    assert_false(end_change(keys));
    assert_true(admits(keys, "status", public));
    assert_int_equal(mkdir(dir, 0700), 0);
}

static void put(const char *text, mode_t mode)
{
    unlink(path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
}

static void files_that_are_refused(void **state)
{
    static const char good[] =
        "{\"server\":\"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6\","
        "\"agents\":[]}";
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"server\":\"x\",\"agents\":[]}",
        "{\"server\":\"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6\"}",
        "{\"server\":\"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6\","
        "\"agents\":[{\"name\":\"a\"}]}",
        "{\"server\":\"JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6\","
        "\"agents\":[1]}",
    };
    struct keys *keys;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(bad[i], 0600);
        assert_null(keys_open(dir, why, sizeof why));
        assert_non_null(strstr(why, path));
    }
    put(good, 0640);
    assert_null(keys_open(dir, why, sizeof why));
    assert_non_null(strstr(why, "0600"));
    put(good, 0600);
    keys = keys_open(dir, why, sizeof why);
    assert_non_null(keys);
    assert_string_equal(keys_server_public(keys),
                        "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7");
    keys_close(&keys);
}

#define KEY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        KEY_TEST(a_key_opens_its_own_doors),
        KEY_TEST(the_watchers_key_opens_the_feed),
        KEY_TEST(strangers),
        KEY_TEST(kept),
        KEY_TEST(taken_back),
        KEY_TEST(from_too_many_places),
        KEY_TEST(one_key_a_name),
        KEY_TEST(a_disk_that_refuses),
        KEY_TEST(files_that_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
