/* SPDX-License-Identifier: Apache-2.0
 *
 * Bodies of submits: every field, and every way to get one wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/people/jobspec.h"
#include "common/limits.h"

static struct arena arena;
static char why[LIMIT_REASON];

static bool read_spec(const char *body, struct job_spec *ret)
{
    why[0] = '\0';
    return jobspec_read(body, strlen(body), &arena, ret, why, sizeof why);
}

static void refused(const char *body, const char *reason)
{
    struct job_spec spec;
    if (read_spec(body, &spec))
        fail_msg("taken: %s", body);
    if (!strstr(why, reason))
        fail_msg("%s: \"%s\" says nothing of \"%s\"", body, why, reason);
}

static void taken(const char *body)
{
    struct job_spec spec;
    if (!read_spec(body, &spec))
        fail_msg("%s: %s", body, why);
    jobspec_done(&spec);
}

/* A body with from and to and one field more. */
static const char *with(const char *field)
{
    static char body[512];
    snprintf(body, sizeof body, "{\"from\":1,\"to\":2,%s}", field);
    return body;
}

static void the_classic_body(void **state)
{
    struct job_spec spec;
    (void)state;
    assert_true(read_spec("{\"from\":1,\"to\":20}", &spec));
    assert_int_equal(spec.frames.count, 20);
    assert_true(spec.plain);
    assert_int_equal(spec.batch, -1);
    assert_int_equal(spec.priority, 50);
    assert_int_equal(spec.max_attempts, 0);
    assert_int_equal(spec.max_agents, 0);
    assert_false(spec.paused);
    assert_int_equal(spec.not_before_ms, 0);
    assert_string_equal(spec.name, "");
    assert_string_equal(spec.user, "");
    assert_string_equal(spec.blend, "");
    assert_string_equal(spec.render, "{}");
    assert_string_equal(spec.doc, "{\"from\":1,\"to\":20}");
    jobspec_done(&spec);
}

static void frames_of_a_spec(const char *body, const char *expected)
{
    struct job_spec spec;
    struct buf text;
    assert_true(read_spec(body, &spec));
    buf_init(&text, 1000);
    frames_text(&spec.frames, &text);
    assert_string_equal(buf_text(&text), expected);
    buf_free(&text);
    jobspec_done(&spec);
}

static void frames_are_read(void **state)
{
    (void)state;
    frames_of_a_spec("{\"from\":0,\"to\":1048574}", "0-1048574");
    frames_of_a_spec("{\"from\":7,\"to\":7}", "7");
    frames_of_a_spec("{\"from\":1,\"to\":10,\"step\":3}", "1-10x3");
    frames_of_a_spec("{\"frames\":\"1-100x5,200\"}", "1-96x5,200");
}

/* What is pinned must be known; the broker finds it out before this. */
static void a_pin_wants_a_hash(void **state)
{
    struct job_spec spec;
    (void)state;
    assert_false(read_spec("{\"frames\":\"1\",\"pin\":true}", &spec));
    assert_non_null(strstr(why, "field `pin`"));
    assert_false(read_spec("{\"frames\":\"1\",\"pin\":true,"
                           "\"blend\":\"/a.blend\"}",
                           &spec));
    assert_false(read_spec("{\"frames\":\"1\",\"pin\":true,"
                           "\"blend_sha256\":\"x\"}",
                           &spec));
    assert_non_null(strstr(why, "field `blend_sha256`"));
    assert_true(read_spec("{\"frames\":\"1\",\"pin\":false}", &spec));
    jobspec_done(&spec);
    assert_true(read_spec(
        "{\"frames\":\"1\",\"pin\":true,\"blend\":\"blob:"
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
        "/a.blend\"}",
        &spec));
    jobspec_done(&spec);
}

static void every_field(void **state)
{
    struct job_spec spec;
    (void)state;
    assert_true(read_spec(
        "{\"frames\":\"1-5\",\"name\":\"shot\",\"user\":\"mira\","
        "\"project\":\"film\",\"labels\":{\"a\":\"b\"},\"batch\":5,"
        "\"priority\":100,\"paused\":true,"
        "\"not_before\":\"2026-11-24T20:00:00Z\","
        "\"depends_on\":[\"abcdefghijklmnop\"],\"max_agents\":3,"
        "\"blend\":\"/a/b.blend\",\"pin\":true,\"blend_sha256\":"
        "\"0123456789abcdef0123456789abcdef"
        "0123456789abcdef0123456789abcdef\",\"scene\":\"S\",\"camera\":\"C\","
        "\"view_layers\":[\"V\"],\"engine\":\"CYCLES\",\"samples\":64,"
        "\"resolution\":\"50%\",\"format\":\"PNG\","
        "\"output\":\"shot/####\",\"missing_files\":\"allow\","
        "\"scripts\":\"on\",\"requires\":{\"tags\":[\"x\",\"y\"],"
        "\"memory_mb\":4096,\"gpu\":true,\"blender\":\"4.2\"},"
        "\"max_attempts\":7,\"timeout_seconds\":60,\"silence_seconds\":30,"
        "\"movie\":{\"fps\":24,\"codec\":\"h264\"},"
        "\"notify\":\"HTTPS://[::1]:80/hook\"}",
        &spec));
    assert_false(spec.plain);
    assert_string_equal(spec.name, "shot");
    assert_string_equal(spec.user, "mira");
    assert_int_equal(spec.batch, 5);
    assert_int_equal(spec.priority, 100);
    assert_true(spec.paused);
    assert_true(spec.not_before_ms == INT64_C(1795550400000));
    assert_int_equal(spec.n_depends, 1);
    assert_string_equal(spec.depends[0], "abcdefghijklmnop");
    assert_int_equal(spec.max_agents, 3);
    assert_int_equal(spec.n_tags, 2);
    assert_string_equal(spec.tags[1], "y");
    assert_int_equal(spec.memory_mb, 4096);
    assert_true(spec.gpu);
    assert_string_equal(spec.blender, "4.2");
    assert_string_equal(spec.blend, "/a/b.blend");
    assert_int_equal(spec.max_attempts, 7);
    jobspec_done(&spec);
}

static void the_node_gets_render_fields_alone(void **state)
{
    struct job_spec spec;
    (void)state;
    assert_true(read_spec(with("\"name\":\"n\",\"samples\":8,\"paused\":true,"
                               "\"timeout_seconds\":2.5"),
                          &spec));
    json_t *render = json_loads(spec.render, 0, NULL);
    assert_int_equal(json_object_size(render), 2);
    assert_int_equal(json_integer_value(json_object_get(render, "samples")), 8);
    assert_non_null(json_object_get(render, "timeout_seconds"));
    json_decref(render);
    jobspec_done(&spec);
}

static void the_document_has_no_frames(void **state)
{
    struct job_spec spec;
    (void)state;
    assert_true(read_spec("{\"frames\":\"1-5\",\"name\":\"n\"}", &spec));
    assert_string_equal(spec.doc, "{\"name\":\"n\"}");
    jobspec_done(&spec);
}

/* As the document of a job without one shows it. */
static void no_name(void **state)
{
    struct job_spec spec;
    (void)state;
    assert_true(read_spec(with("\"name\":\"\""), &spec));
    assert_string_equal(spec.name, "");
    jobspec_done(&spec);
}

static void batch_words(void **state)
{
    struct job_spec spec;
    (void)state;
    assert_true(read_spec(with("\"batch\":\"auto\""), &spec));
    assert_int_equal(spec.batch, 0);
    jobspec_done(&spec);
    taken(with("\"batch\":1"));
    taken(with("\"batch\":1000"));
    refused(with("\"batch\":0"), "field `batch`");
    refused(with("\"batch\":1001"), "field `batch`");
    refused(with("\"batch\":\"big\""), "field `batch`");
    refused(with("\"batch\":true"), "field `batch`");
}

static void bad_frames(void **state)
{
    (void)state;
    refused("", "empty");
    refused("{}", "field `from`: missing");
    refused("{\"from\":1}", "field `to`: missing");
    refused("{\"to\":1}", "field `from`: missing");
    refused("{\"from\":\"1\",\"to\":20}", "field `from`: must be a whole");
    refused("{\"from\":1,\"to\":1.5}", "field `to`: must be a whole number");
    refused("{\"from\":1.0,\"to\":2}", "field `from`: must be a whole number");
    refused("{\"from\":true,\"to\":2}", "field `from`");
    refused("{\"from\":null,\"to\":2}", "field `from`");
    refused("{\"from\":[1],\"to\":2}", "field `from`");
    refused("{\"from\":NaN,\"to\":2}", "field `from`: not a JSON value");
    refused("{\"from\":1,\"to\":1e400}", "field `to`: a number out of");
    refused("{\"from\":1,\"to\":99999999999999999999}",
            "field `to`: a number out of");
    refused("{\"from\":-1,\"to\":2}", "field `from`");
    refused("{\"from\":0,\"to\":1048575}", "field `to`");
    refused("{\"from\":21,\"to\":20}", "field `from`: must not be greater");
    refused("{\"from\":1,\"to\":2,\"step\":0}", "field `step`");
    refused("{\"frames\":\"\"}", "field `frames`");
    refused("{\"frames\":\"5-1\"}", "field `frames`");
    refused("{\"frames\":7}", "field `frames`");
    refused("{\"frames\":\"1-2\",\"from\":1}", "field `from`: must not stand");
    refused("{\"frames\":\"1-2\",\"to\":1}", "field `to`: must not stand");
    refused("{\"frames\":\"1-2\",\"step\":1}", "field `step`: must not stand");
}

static void bad_json(void **state)
{
    char deep[20010];
    (void)state;
    refused("nope", "not JSON");
    refused("[1]", "must be a JSON object");
    refused("3", "must be a JSON object");
    refused("{\"from\":1,\"from\":1,\"to\":2}", "duplicate");
    refused("{\"from\":1,\"to\":2} x", "not JSON");
    refused(with("\"frm\":1"), "unknown field `frm` (did you mean `from`?)");
    memset(deep, '[', 10000);
    memset(deep + 10000, ']', 10000);
    deep[20000] = '\0';
    refused(deep, "nested deeper");
}

static void bad_values(void **state)
{
    static const char *const rows[][2] = {
        {"\"name\":7", "`name`"},
        {"\"user\":\"a\\u0007\"", "`user`"},
        {"\"labels\":[]", "`labels`"},
        {"\"labels\":{\"a\":1}", "`labels`"},
        {"\"labels\":{\"\":\"x\"}", "`labels`"},
        {"\"priority\":-1", "`priority`"},
        {"\"priority\":101", "`priority`"},
        {"\"priority\":\"high\"", "`priority`"},
        {"\"paused\":1", "`paused`"},
        {"\"not_before\":\"tomorrow\"", "`not_before`"},
        {"\"not_before\":5", "`not_before`"},
        {"\"depends_on\":\"abcdefghijklmnop\"", "`depends_on`"},
        {"\"depends_on\":[\"short\"]", "`depends_on`: item 1"},
        {"\"depends_on\":[\"abcdefghijklmnop/x\"]", "`depends_on`"},
        {"\"max_agents\":-1", "`max_agents`"},
        {"\"requires\":[]", "`requires`"},
        {"\"requires\":{\"tag\":[]}", "unknown field `tag`"},
        {"\"requires\":{\"gpu\":\"yes\"}", "`requires`: field `gpu`"},
        {"\"requires\":{\"memory_mb\":0}", "`memory_mb`"},
        {"\"max_attempts\":0", "`max_attempts`"},
        {"\"max_attempts\":101", "`max_attempts`"},
        {"\"movie\":{\"fps\":0}", "`movie`: field `fps`"},
        {"\"movie\":{\"codec\":\"avi\"}", "`movie`: field `codec`"},
        {"\"notify\":\"ftp://x\"", "`notify`"},
        {"\"notify\":\"http://\"", "`notify`"},
        {"\"notify\":\"http:///path\"", "`notify`"},
        {"\"notify\":\"http://:80/\"", "`notify`"},
        {"\"notify\":\"https://a b/\"", "`notify`"},
        {"\"engine\":\"POVRAY\"", "`engine`"},
        {"\"samples\":0", "`samples`"},
        {"\"format\":\"AVI\"", "`format`"},
        {"\"output\":\"/abs/####\"", "`output`"},
        {"\"output\":\"../####\"", "`output`"},
        {"\"resolution\":\"big\"", "`resolution`"},
        {"\"scripts\":true", "`scripts`"},
        {"\"timeout_seconds\":0", "`timeout_seconds`"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        refused(with(rows[i][0]), rows[i][1]);
}

/* A body whose name has n bytes. */
static const char *long_name(size_t n)
{
    static char body[LIMIT_NAME + 64];
    snprintf(body, sizeof body, "{\"from\":1,\"to\":2,\"name\":\"%0*d\"}",
             (int)n, 0);
    return body;
}

static void texts_are_bounded(void **state)
{
    (void)state;
    taken(long_name(LIMIT_NAME));
    refused(long_name(LIMIT_NAME + 1),
            "field `name`: must have at most 128 bytes");
}

/* n labels of the longest texts. */
static char *label_body(int n)
{
    char name[LIMIT_NAME + 1], *text;
    json_t *body = json_pack("{s:i,s:i}", "from", 1, "to", 2);
    json_t *labels = json_object();
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%0*d", LIMIT_NAME, i);
        json_object_set_new(labels, name, json_string(name));
    }
    json_object_set_new(body, "labels", labels);
    text = json_dumps(body, 0);
    json_decref(body);
    return text;
}

static void labels_are_bounded(void **state)
{
    (void)state;
    char *body = label_body(LIMIT_LABELS);
    taken(body);
    free(body);
    body = label_body(LIMIT_LABELS + 1);
    refused(body, "field `labels`: must have at most 32");
    free(body);
}

static int empty_arena(void **state)
{
    (void)state;
    arena_done(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_classic_body),
        cmocka_unit_test(frames_are_read),
        cmocka_unit_test(a_pin_wants_a_hash),
        cmocka_unit_test(every_field),
        cmocka_unit_test(the_node_gets_render_fields_alone),
        cmocka_unit_test(the_document_has_no_frames),
        cmocka_unit_test(no_name),
        cmocka_unit_test(batch_words),
        cmocka_unit_test(bad_frames),
        cmocka_unit_test(bad_json),
        cmocka_unit_test(bad_values),
        cmocka_unit_test(texts_are_bounded),
        cmocka_unit_test(labels_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, empty_arena);
}
