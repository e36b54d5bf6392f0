/* SPDX-License-Identifier: Apache-2.0
 *
 * POST /job: what is taken, what is refused and with which words, and which
 * .blend files may be named.
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

#include "common/limits.h"
#include "common/mem.h"
#include "node/spec.h"

static char folder[64] = "/tmp/test_spec.XXXXXX";
static char inside[128];
static char outside[128];
static const char *const roots[] = {inside};

static const struct spec_rules by_default = {.blend = "/a.blend"};
static const struct spec_rules rooted = {.roots = roots, .roots_n = 1};

static bool parse(const char *body, const struct spec_rules *rules,
                  struct spec *ret, char why[LIMIT_REASON])
{
    return spec_parse(body, strlen(body), rules, ret, why, LIMIT_REASON);
}

static struct spec take(const char *body, const struct spec_rules *rules)
{
    struct spec spec = {0};
    char why[LIMIT_REASON];
    if (!parse(body, rules, &spec, why))
        fail_msg("%s: %s", body, why);
    return spec;
}

static void refuse(const char *body, const struct spec_rules *rules,
                   const char *word)
{
    struct spec spec = {0};
    char why[LIMIT_REASON] = "";
    if (parse(body, rules, &spec, why))
        fail_msg("%s was taken", body);
    if (!strstr(why, word))
        fail_msg("%s: `%s` does not say `%s`", body, why, word);
}

static void classic(void **state)
{
    (void)state;
    struct spec spec = take("{\"from\":1,\"to\":5}", &by_default);
    assert_int_equal(spec.frames.count, 5);
    assert_string_equal(spec.blend, "/a.blend");
    assert_string_equal(spec.folder, "");
    assert_string_equal(spec.output, "blender-render_####");
    assert_null(spec.key);
    assert_false(spec.replace);
    spec_done(&spec);
    assert_null(spec.body);
}

static void frames_at_their_bounds(void **state)
{
    (void)state;
    struct spec spec = take("{\"from\":0,\"to\":1048574}", &by_default);
    assert_int_equal(spec.frames.count, LIMIT_FRAMES);
    spec_done(&spec);
    refuse("{\"from\":0,\"to\":1048575}", &by_default, "field `to`");
    refuse("{\"from\":-1,\"to\":5}", &by_default, "field `from`");
    refuse("{\"from\":6,\"to\":5}", &by_default, "field `from`");
    refuse("{\"from\":1.0,\"to\":5}", &by_default, "field `from`");
    refuse("{\"from\":\"1\",\"to\":5}", &by_default, "field `from`");
    refuse("{\"to\":5}", &by_default, "field `from`");
    refuse("{\"from\":5}", &by_default, "field `to`");
    refuse("{\"frames\":\"1-2\",\"to\":5}", &by_default, "field `frames`");
    refuse("{\"frames\":\"x\"}", &by_default, "field `frames`");
    refuse("{\"frames\":\"1\",\"frmaes\":1}", &by_default, "unknown field");
}

static void names(void **state)
{
    (void)state;
    struct spec spec = take("{\"frames\":\"1\",\"job\":\"J-1\"}", &by_default);
    assert_string_equal(spec.folder, "J-1");
    assert_string_equal(spec.output, "frame_####");
    spec_done(&spec);
    spec = take("{\"frames\":\"1\",\"job\":\"J\",\"name\":\"shot 1/2\"}",
                &by_default);
    assert_string_equal(spec.output, "shot_1_2_####");
    spec_done(&spec);
    spec = take("{\"frames\":\"1\",\"name\":\"a\",\"output\":\"b/c_##\"}",
                &by_default);
    assert_string_equal(spec.output, "b/c_##");
    spec_done(&spec);
    refuse("{\"frames\":\"1\",\"job\":\"a.b\"}", &by_default, "field `job`");
    refuse("{\"frames\":\"1\",\"output\":\"../c_##\"}", &by_default,
           "field `output`");
}

static void safe_names(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"shot", "shot"},       {"a b", "a_b"}, {"../../x", "_._.._x"},
        {".hidden", "_hidden"}, {"", "frame"},  {"###", "frame"},
        {"T\xc3\xbcr", "T_r"},  {"a//b", "a_b"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char safe[32];
        spec_name_safe(cases[i][0], "frame", safe, sizeof safe);
        assert_string_equal(safe, cases[i][1]);
    }
    char small[5];
    spec_name_safe("abcdefgh", "frame", small, sizeof small);
    assert_string_equal(small, "abcd");
}

static void blends(void **state)
{
    (void)state;
    char body[512];
    snprintf(body, sizeof body, "{\"frames\":\"1\",\"blend\":\"%s/in.blend\"}",
             inside);
    struct spec spec = take(body, &rooted);
    assert_non_null(strstr(spec.blend, "/inside/in.blend"));
    spec_done(&spec);
    spec = take("{\"frames\":\"1\",\"blend\":\"in.blend\"}", &rooted);
    assert_non_null(strstr(spec.blend, "/inside/in.blend"));
    spec_done(&spec);
    spec = take("{\"frames\":\"1\",\"blend\":\"/a.blend\"}", &by_default);
    assert_string_equal(spec.blend, "/a.blend");
    spec_done(&spec);
    refuse("{\"frames\":\"1\",\"blend\":\"../out.blend\"}", &rooted,
           "not under");
    refuse("{\"frames\":\"1\",\"blend\":\"link.blend\"}", &rooted, "not under");
    refuse("{\"frames\":\"1\",\"blend\":\"none.blend\"}", &rooted, "No such");
    snprintf(body, sizeof body, "{\"frames\":\"1\",\"blend\":\"%s\"}", outside);
    refuse(body, &rooted, "not under");
    refuse(body, &by_default, "no --blend-root");
    refuse("{\"frames\":\"1\"}", &rooted, "no --blend");
}

static void scripts(void **state)
{
    (void)state;
    static const struct spec_rules open = {.blend = "/a.blend",
                                           .scripts = true};
    refuse("{\"frames\":\"1\",\"scripts\":\"on\"}", &by_default,
           "--allow-scripts");
    struct spec spec = take("{\"frames\":\"1\",\"scripts\":\"on\"}", &open);
    assert_true(spec.scripts);
    spec_done(&spec);
    spec = take("{\"frames\":\"1\",\"scripts\":\"off\"}", &open);
    assert_false(spec.scripts);
    spec_done(&spec);
}

static void times(void **state)
{
    (void)state;
    struct spec spec = take("{\"frames\":\"1\",\"timeout_seconds\":1.5,"
                            "\"silence_seconds\":60,\"replace\":true,"
                            "\"missing_files\":\"allow\",\"key\":\"k\"}",
                            &by_default);
    assert_int_equal(spec.timeout_ms, 1500);
    assert_int_equal(spec.silence_ms, 60000);
    assert_true(spec.replace);
    assert_true(spec.missing_allowed);
    assert_string_equal(spec.key, "k");
    spec_done(&spec);
}

static void orders(void **state)
{
    (void)state;
    struct spec spec =
        take("{\"frames\":\"1\",\"camera\":\"C\",\"samples\":4,\"key\":\"k\","
             "\"view_layers\":[\"A\"],\"engine\":\"CYCLES\"}",
             &by_default);
    json_t *order = spec_order(&spec, "cpu");
    json_t *expected =
        json_pack("{s:s, s:i, s:[s], s:s, s:s, s:s}", "camera", "C", "samples",
                  4, "view_layers", "A", "engine", "CYCLES", "output",
                  "blender-render_####", "device", "cpu");
    assert_true(json_equal(order, expected));
    json_decref(order);
    json_decref(expected);
    spec_done(&spec);
}

static void file_make(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
}

static int files_make(void **state)
{
    (void)state;
    char path[160];
    if (!mkdtemp(folder))
        return -1;
    snprintf(inside, sizeof inside, "%s/inside", folder);
    snprintf(outside, sizeof outside, "%s/out.blend", folder);
    mkdir(inside, 0700);
    file_make(outside);
    snprintf(path, sizeof path, "%s/in.blend", inside);
    file_make(path);
    snprintf(path, sizeof path, "%s/link.blend", inside);
    return symlink(outside, path);
}

static int files_remove(void **state)
{
    (void)state;
    char path[160];
    snprintf(path, sizeof path, "%s/in.blend", inside);
    unlink(path);
    snprintf(path, sizeof path, "%s/link.blend", inside);
    unlink(path);
    unlink(outside);
    rmdir(inside);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classic), cmocka_unit_test(frames_at_their_bounds),
        cmocka_unit_test(names),   cmocka_unit_test(safe_names),
        cmocka_unit_test(blends),  cmocka_unit_test(scripts),
        cmocka_unit_test(times),   cmocka_unit_test(orders),
    };
    return cmocka_run_group_tests(tests, files_make, files_remove);
}
