/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON objects by their tables: what is taken, and the words for what is not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "common/app/fields.h"
#include "common/buf.h"
#include "common/limits.h"

static const struct field_bounds frame = {0, LIMIT_FRAME_MAX};
static const struct field_bounds memory = {0, 1000};

/* The shape of the broker's table: rows of its own beside render_fields. */
static const struct field job_fields[] = {
    {"from", field_integer, &frame},
    {"to", field_integer, &frame},
    {"paused", field_bool, NULL},
    {"memory", field_number, &memory},
    {NULL, NULL, NULL},
};

static const struct field *const tables[] = {render_fields, job_fields, NULL};

/* What is said of a body; "" when it is taken. */
static const char *verdict(const char *body, size_t len)
{
    static char why[LIMIT_REASON];
    *why = '\0';
    json_t *object = fields_parse(body, len, why, sizeof why);
    if (object == NULL)
        return why;
    assert_string_equal(why, "");
    if (fields_check(object, tables, why, sizeof why))
        assert_string_equal(why, "");
    json_decref(object);
    return why;
}

static void assert_verdict(const char *body, const char *expected)
{
    const char *why = verdict(body, strlen(body));
    if (strcmp(why, expected) != 0)
        fail_msg("%s: `%s` instead of `%s`", body, why, expected);
}

static void test_taken(void **state)
{
    (void)state;
    assert_verdict("{}", "");
    assert_verdict(" \t\r\n{\"from\":1,\"to\":20}\n", "");
    assert_verdict("{\"from\":0,\"to\":1048574}", "");
    assert_verdict(
        "{\"blend\":\"/a/b.blend\",\"scene\":\"Sc\u00e4ne\",\"camera\":\"C\","
        "\"view_layers\":[\"a\",\"b\"],\"engine\":\"CYCLES\",\"samples\":65536,"
        "\"resolution\":\"1920x1080\",\"format\":\"OPEN_EXR_MULTILAYER\","
        "\"output\":\"shot/beauty_####\",\"missing_files\":\"allow\","
        "\"scripts\":\"on\",\"timeout_seconds\":0.5,\"silence_seconds\":60}",
        "");
    assert_verdict("{\"view_layers\":[]}", "");
}

static void test_not_json(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", "the body is empty; send a JSON object"},
        {" \r\n\t", "the body is empty; send a JSON object"},
        {"[1]", "must be a JSON object, not a list"},
        {"1", "must be a JSON object, not a whole number"},
        {"1.5", "must be a JSON object, not a real number"},
        {"\"x\"", "must be a JSON object, not a string"},
        {"null", "must be a JSON object, not null"},
        {"true", "must be a JSON object, not true or false"},
        {"{\"from\":1e400}", "field `from`: a number out of all bounds: 1e400"},
        {"{\"to\":1,\"from\" : -1e400 }",
         "field `from`: a number out of all bounds: -1e400"},
        {"{\"from\":99999999999999999999}",
         "field `from`: a number out of all bounds: 99999999999999999999"},
        {"{\"from\":NaN}", "field `from`: not a JSON value: NaN"},
        {"{\"a\":{\"b\":1},\"from\":-Infinity}",
         "field `from`: not a JSON value: -Infinity"},
        {"{\"to\":2,\"from\":Infinity,\"x\":3}",
         "field `from`: not a JSON value: Infinity"},
        {"{\"from\":0x10}", "field `from`: not a JSON value: 0x10"},
        {"{\"from\":01}", "field `from`: not a JSON value: 01"},
        {"{\"from\":+1}", "field `from`: not a JSON value: +1"},
        {"{\"from\":.5}", "field `from`: not a JSON value: .5"},
        {"{\"from\":True}", "field `from`: not a JSON value: True"},
        {"{\"from\":undefined", "field `from`: not a JSON value: undefined"},
        {"{\"fr\\\"om\":NaN}", "field `fr\\\"om`: not a JSON value: NaN"},
        {"{\"from\":1,\"from\":2}",
         "not JSON: duplicate object key near '\"from\"' (line 1, column 16)"},
        {"{\"from\":1}\nx",
         "not JSON: end of file expected near 'x' (line 2, column 1)"},
        {"{\"scene\":\"\\u0000\"}",
         "not JSON: a text with \\u0000 in it (line 1, column 17)"},
        {"{\"scene\":\"\xff\"}", "not JSON: not UTF-8 (line 1, column 10)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_verdict(rows[i][0], rows[i][1]);
    static const char *const begins[] = {"{", "{\"a\"", "nul", "{'a':1}",
                                         "{\"a\":\"\n\"}"};
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        assert_memory_equal(verdict(begins[i], strlen(begins[i])),
                            "not JSON: ", 10);
    assert_string_equal(verdict("{\"from\":1}\0", 11),
                        "not JSON: a NUL byte in it");
    assert_string_equal(verdict("", 0),
                        "the body is empty; send a JSON object");
}

static void nest(struct buf *out, int depth)
{
    buf_clear(out);
    buf_print(out, "{\"x\":\"[[[[\\\"[[[[\",\"scene\":");
    for (int i = 1; i < depth; i++)
        buf_add(out, "[", 1);
    for (int i = 1; i < depth; i++)
        buf_add(out, "]", 1);
    buf_add(out, "}", 1);
}

static void test_depth(void **state)
{
    (void)state;
    struct buf body;
    buf_init(&body, 100000);
    nest(&body, LIMIT_JSON_DEPTH);
    assert_string_equal(verdict(body.data, body.len), "unknown field `x`");
    nest(&body, LIMIT_JSON_DEPTH + 1);
    assert_string_equal(verdict(body.data, body.len), "nested deeper than 32");
    nest(&body, 10000);
    assert_string_equal(verdict(body.data, body.len), "nested deeper than 32");
    buf_free(&body);
}

static void test_unknown_fields(void **state)
{
    (void)state;
    assert_verdict("{\"form\":1}",
                   "unknown field `form` (did you mean `from`?)");
    assert_verdict("{\"From\":1}",
                   "unknown field `From` (did you mean `from`?)");
    assert_verdict("{\"quite else\":1}", "unknown field `quite else`");
    assert_verdict("{\"a\\nb\":1}", "unknown field `a?b`");
    assert_verdict("{\"\":1}", "unknown field ``");
}

static void test_types_have_names(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"\"1\"", "a string"},      {"1.0", "a real number"},
        {"1.5", "a real number"},   {"true", "true or false"},
        {"false", "true or false"}, {"null", "null"},
        {"[1]", "a list"},          {"{}", "an object"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char body[64], expected[128];
        snprintf(body, sizeof body, "{\"from\":%s}", rows[i][0]);
        snprintf(expected, sizeof expected,
                 "field `from`: must be a whole number, not %s", rows[i][1]);
        assert_verdict(body, expected);
    }
    assert_verdict("{\"paused\":1}", "field `paused`: must be true or false, "
                                     "not a whole number");
    assert_verdict("{\"scene\":1}",
                   "field `scene`: must be a string, not a whole number");
    assert_verdict("{\"timeout_seconds\":\"1\"}",
                   "field `timeout_seconds`: must be a number, not a string");
    assert_verdict("{\"view_layers\":\"a\"}", "field `view_layers`: must be a "
                                              "list of strings, not a string");
    assert_verdict("{\"scripts\":true}",
                   "field `scripts`: must be off or on, not true or false");
}

static void test_bounds(void **state)
{
    (void)state;
    assert_verdict("{\"from\":-1}",
                   "field `from`: must be from 0 to 1048574, not -1");
    assert_verdict("{\"from\":1048575}",
                   "field `from`: must be from 0 to 1048574, not 1048575");
    assert_verdict("{\"samples\":0}",
                   "field `samples`: must be from 1 to 65536, not 0");
    assert_verdict("{\"samples\":65537}",
                   "field `samples`: must be from 1 to 65536, not 65537");
    assert_verdict("{\"timeout_seconds\":0}",
                   "field `timeout_seconds`: must be more than 0 and at most "
                   "31536000, not 0");
    assert_verdict("{\"timeout_seconds\":31536000}", "");
    assert_verdict("{\"timeout_seconds\":31536000.5}",
                   "field `timeout_seconds`: must be more than 0 and at most "
                   "31536000, not 3.1536e+07");
    assert_verdict("{\"memory\":0}", "");
    assert_verdict("{\"memory\":-0.1}",
                   "field `memory`: must be 0 or more and at most 1000, not "
                   "-0.1");
}

/* Body with one field whose value is n times x in quotes. */
static const char *long_text(const char *field, int n)
{
    static char body[2 * LIMIT_PATH];
    int len = snprintf(body, sizeof body, "{\"%s\":\"", field);
    memset(body + len, 'x', (size_t)n);
    snprintf(body + len + n, sizeof body - (size_t)(len + n), "\"}");
    return body;
}

static void test_texts(void **state)
{
    (void)state;
    assert_verdict(long_text("scene", LIMIT_NAME), "");
    assert_verdict(long_text("scene", LIMIT_NAME + 1),
                   "field `scene`: must have at most 128 bytes, not 129");
    assert_verdict(long_text("blend", LIMIT_PATH), "");
    assert_verdict(long_text("blend", LIMIT_PATH + 1),
                   "field `blend`: must have at most 1024 bytes, not 1025");
    assert_verdict("{\"scene\":\"\"}", "field `scene`: must not be empty");
    assert_verdict("{\"scene\":\"a\\tb\"}",
                   "field `scene`: must not have control characters");
    assert_verdict("{\"scene\":\"\\u0085\"}",
                   "field `scene`: must not have control characters");
}

static void test_lists(void **state)
{
    (void)state;
    struct buf body;
    buf_init(&body, 10000);
    buf_print(&body, "{\"view_layers\":[\"a\"");
    for (int i = 1; i < LIMIT_LAYERS; i++)
        buf_print(&body, ",\"a\"");
    size_t at = body.len;
    buf_print(&body, "]}");
    assert_verdict(buf_text(&body), "");
    buf_drop(&body, 0);
    body.len = at;
    buf_print(&body, ",\"a\"]}");
    assert_verdict(buf_text(&body),
                   "field `view_layers`: must have at most 64 items, not 65");
    assert_verdict("{\"view_layers\":[\"a\",1]}",
                   "field `view_layers`: item 2: must be a string, not a whole "
                   "number");
    buf_free(&body);
}

static void test_choices(void **state)
{
    (void)state;
    assert_verdict("{\"format\":\"png\"}",
                   "field `format`: must be PNG, JPEG, TIFF, WEBP, OPEN_EXR or "
                   "OPEN_EXR_MULTILAYER, not `png`");
    assert_verdict("{\"missing_files\":\"\"}",
                   "field `missing_files`: must be fail or allow, not ``");
    static const char *const engines[] = {
        "CYCLES", "BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH"};
    for (size_t i = 0; i < 4; i++) {
        char body[64];
        snprintf(body, sizeof body, "{\"engine\":\"%s\"}", engines[i]);
        assert_verdict(body, "");
    }
}

static void each(const char *field, const char *const *values, bool good)
{
    char body[256];
    for (; *values != NULL; values++) {
        snprintf(body, sizeof body, "{\"%s\":\"%s\"}", field, *values);
        const char *why = verdict(body, strlen(body));
        if ((*why == '\0') != good)
            fail_msg("%s: `%s`", body, why);
    }
}

static void test_resolutions(void **state)
{
    (void)state;
    static const char *const good[] = {"1x1",   "65536x65536", "1%",
                                       "1000%", "1920x1080",   NULL};
    static const char *const bad[] = {
        "0x1",   "1x0",  "65537x1", "1x65537", "0%",   "1001%", "1920",
        "1920x", "x1",   "1X1",     "1 x 1",   "01x1", "50 %",  "%",
        "-1x1",  "1.5%", "1x1x1",   "1x1%",    "50%%", NULL};
    each("resolution", good, true);
    each("resolution", bad, false);
}

static void test_outputs(void **state)
{
    (void)state;
    static const char *const good[] = {"####",  "a/b/c_####",   "a#b",
                                       "#.png", "a b/\u00e4_#", NULL};
    static const char *const bad[] = {
        "/a_#",    "../a_#", "a/../b_#", "a/./b_#", "./a_#",
        "a//b_#",  "a_#/",   "a",        "#/a",     ".a_#",
        ".work/#", "..",     "a\\\\b#",  "",        NULL};
    each("output", good, true);
    each("output", bad, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_not_json),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_unknown_fields),
        cmocka_unit_test(test_types_have_names),
        cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_choices),
        cmocka_unit_test(test_resolutions),
        cmocka_unit_test(test_outputs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
