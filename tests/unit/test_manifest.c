/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of an uploaded scene's files: what is read, and why others are not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/manifest.h"
#include "common/limits.h"
#include "common/mem.h"

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char why[LIMIT_REASON];

static json_t *item(const char *path)
{
    return json_pack("{s:s, s:s, s:i}", "path", path, "sha256", SUM, "size", 7);
}

static bool reads(json_t *list)
{
    struct manifest manifest;
    bool ok = manifest_read(list, &manifest, why, sizeof why);
    json_decref(list);
    manifest_done(&manifest);
    return ok;
}

static bool reads_path(const char *path)
{
    return reads(json_pack("[o, o]", item("a.blend"), item(path)));
}

static void reads_and_writes(void **state)
{
    struct manifest manifest;
    (void)state;
    json_t *list = json_pack("[o, o]", item("shots/a.blend"), item("tex/b"));
    assert_true(manifest_read(list, &manifest, why, sizeof why));
    assert_int_equal(manifest.n, 2);
    assert_string_equal(manifest.files[0].path, "shots/a.blend");
    assert_string_equal(manifest.files[1].name, SUM);
    assert_int_equal(manifest.files[1].size, 7);
    json_t *again = manifest_json(&manifest);
    assert_true(json_equal(list, again));
    char name[BLOB_NAME + 1];
    char *blend = blend_write(SUM, &manifest);
    assert_string_equal(blend, "blob:" SUM "/a.blend");
    assert_true(blend_is_blob(blend, name));
    assert_string_equal(name, SUM);
    mem_free(blend);
    json_decref(again);
    json_decref(list);
    manifest_done(&manifest);
}

static void keeps_paths_below(void **state)
{
    static const char *const good[] = {
        "b", "..b", "b..", "a b/ü.png", ".hidden/x", "a.blend.png", "a.blen"};
    static const char *const bad[] = {
        "",    "/b",   "..", "../b", "b/..", "b/../c",  "./b",
        "b/.", "b//c", "b/", "a\\b", "a\nb", "a.blend", "a.blend/b",
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(reads_path(good[i]));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(reads_path(bad[i]));
}

/* A file in another's place is found however they are sorted. */
static void finds_a_file_in_a_folder_s_place(void **state)
{
    (void)state;
    assert_false(reads(json_pack("[o, o, o, o]", item("z.blend"), item("a/b"),
                                 item("a.b"), item("a"))));
    assert_true(reads(json_pack("[o, o, o, o]", item("z.blend"), item("a/b"),
                                item("a.b"), item("a-b"))));
}

static void holds_its_limits(void **state)
{
    char path[LIMIT_PATH + 2];
    (void)state;
    memset(path, 'x', sizeof path);
    for (size_t i = 200; i < sizeof path; i += 200)
        path[i] = '/';
    path[LIMIT_PATH] = '\0';
    assert_true(reads_path(path));
    path[LIMIT_PATH] = 'x';
    path[LIMIT_PATH + 1] = '\0';
    assert_false(reads_path(path));
    for (int n = LIMIT_MANIFEST; n <= LIMIT_MANIFEST + 1; n++) {
        json_t *list = json_array();
        json_array_append_new(list, item("a.blend"));
        for (int i = 1; i < n; i++) {
            snprintf(path, sizeof path, "%d", i);
            json_array_append_new(list, item(path));
        }
        assert_int_equal(reads(list), n == LIMIT_MANIFEST);
    }
}

static void holds_the_limit_of_a_size(void **state)
{
    (void)state;
    for (int more = 0; more < 2; more++) {
        json_t *file = item("a.blend");
        json_object_set_new(file, "size", json_integer(LIMIT_BLOB + more));
        assert_int_equal(reads(json_pack("[o]", file)), more == 0);
    }
}

static void knows_names(void **state)
{
    static const char *const others[] = {"",          "blob:",
                                         "blob:" SUM, "blob:x/a.blend",
                                         "/a.blend",  "Blob:" SUM "/a.blend"};
    char name[BLOB_NAME + 1];
    (void)state;
    assert_true(blob_is_name(SUM));
    assert_false(blob_is_name(SUM "0"));
    assert_false(blob_is_name("A" SUM));
    assert_false(blob_is_name(""));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        assert_false(blend_is_blob(others[i], name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(keeps_paths_below),
        cmocka_unit_test(finds_a_file_in_a_folder_s_place),
        cmocka_unit_test(holds_its_limits),
        cmocka_unit_test(holds_the_limit_of_a_size),
        cmocka_unit_test(knows_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
