/* SPDX-License-Identifier: Apache-2.0
 *
 * A farm with tokens: who gets in, what each role may do, and that a token
 * taken back is none.
 */
#include "tests/unit/broker_world.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/people/http_state.h"
#include "common/app/tokens.h"

static char path[] = "/tmp/frameq-guard-XXXXXX";
static struct tokens tokens;
static char headers[4][128]; /* by role, TOKEN_READ first */
static char joe[128];        /* another who may submit */

static void make(const char *user, enum token_role role, char ret[128])
{
    char secret[TOKEN_SECRET];
    struct token token = {.role = role};
    snprintf(token.name, sizeof token.name, "%s-%s", user,
             token_role_word(role));
    snprintf(token.user, sizeof token.user, "%s", user);
    tokens_make(&tokens, &token, secret);
    snprintf(ret, 128, "Authorization: Bearer %s\r\n", secret);
}

static void save(void)
{
    char why[512];
    assert_true(tokens_save(&tokens, path, why, sizeof why));
}

static int setup(void **state)
{
    for (int role = TOKEN_READ; role <= TOKEN_ADMIN; role++)
        make("mira", (enum token_role)role, headers[role - TOKEN_READ]);
    make("joe", TOKEN_SUBMIT, joe);
    save();
    world_tokens = path;
    return world_setup(state);
}

static int teardown(void **state)
{
    tokens_free(&tokens);
    return world_teardown(state);
}

static void assert_status(const char *method, const char *target,
                          const char *header, const char *body, int status)
{
    struct got got = world_ask(method, target, header, body);
    if (got.status != status)
        fail_msg("%s %s: %d, not %d: %s", method, target, got.status, status,
                 got.body);
    got_free(&got);
}

#define JOB "{\"from\":1,\"to\":3}"

static void nobody_gets_in_without(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", "Authorization: Bearer\r\n", "Authorization: Bearer fq_x\r\n",
        "Authorization: Basic bWlyYTptaXJh\r\n"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct got got = world_ask("GET", "/v1/jobs", wrong[i], NULL);
        assert_int_equal(got.status, 401);
        assert_string_equal(got_header(&got, "WWW-Authenticate"),
                            "Bearer realm=\"frameq\"");
        assert_non_null(strstr(got.body, "frameq token add"));
        got_free(&got);
        assert_status("POST", "/render", wrong[i], JOB, 401);
        assert_status("GET", "/metrics", wrong[i], NULL, 401);
        assert_status("GET", "/v1/events", wrong[i], NULL, 401);
    }
}

static void anybody_may_ask_how_it_is(void **state)
{
    (void)state;
    static const char *const open[] = {"/health", "/livez", "/healthz",
                                       "/v1/openapi.yaml"};
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        assert_status("GET", open[i], "", NULL, 200);
}

static void each_role_may_do_so_much(void **state)
{
    (void)state;
    static const struct {
        const char *method, *target, *body;
        int status[4]; /* read, agent, submit, admin */
    } rows[] = {
        {"GET", "/v1/jobs", NULL, {200, 200, 200, 200}},
        {"GET", "/v1/farm", NULL, {200, 200, 200, 200}},
        {"GET", "/metrics", NULL, {200, 200, 200, 200}},
        {"POST", "/render", JOB, {403, 403, 202, 202}},
        {"POST", "/v1/jobs", JOB, {403, 403, 202, 202}},
        {"PATCH",
         "/v1/agents/a1",
         "{\"drain\":\"soft\"}",
         {403, 403, 403, 404}},
        {"DELETE", "/v1/jobs/nope-nope-nope-nope", NULL, {403, 403, 404, 404}},
        {"GET", "/v1/backup", NULL, {403, 403, 403, 507}},
    };
    world.backup_reason = "no disk here";
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int role = 0; role < 4; role++)
            assert_status(rows[i].method, rows[i].target, headers[role],
                          rows[i].body, rows[i].status[role]);
}

/* Submits as mira; returns its path, good until the next. */
static const char *job_of_mira(const char *suffix)
{
    static char target[128];
    struct got got =
        world_ask("POST", "/v1/jobs", headers[2],
                  "{\"from\":1,\"to\":3,\"user\":\"somebody else\"}");
    json_t *job = json_loads(got.body, 0, NULL);
    assert_int_equal(got.status, 202);
    assert_string_equal(json_string_value(json_object_get(job, "user")),
                        "mira");
    snprintf(target, sizeof target, "/v1/jobs/%s%s",
             json_string_value(json_object_get(job, "id")), suffix);
    json_decref(job);
    got_free(&got);
    return target;
}

static json_t *submit_with_key(const char *token, const char *body, int status)
{
    char both[256];
    snprintf(both, sizeof both, "%sIdempotency-Key: shot\r\n", token);
    struct got got = world_ask("POST", "/v1/jobs", both, body);
    json_t *answer = json_loads(got.body, 0, NULL);
    assert_int_equal(got.status, status);
    got_free(&got);
    return answer;
}

static void keys_are_their_users_own(void **state)
{
    static const char *const body = "{\"from\":1,\"to\":3}";
    const char *const who[] = {headers[2], joe, headers[2]};
    json_t *jobs[3];
    (void)state;
    for (int i = 0; i < 3; i++)
        jobs[i] = submit_with_key(who[i], body, 202);
    assert_false(json_equal(json_object_get(jobs[0], "id"),
                            json_object_get(jobs[1], "id")));
    assert_true(json_equal(json_object_get(jobs[0], "id"),
                           json_object_get(jobs[2], "id")));
    for (int i = 0; i < 3; i++)
        json_decref(jobs[i]);
    json_decref(submit_with_key(joe, "{\"from\":1,\"to\":4}", 422));
}

static void a_job_is_steered_by_its_user(void **state)
{
    (void)state;
    const char *job = job_of_mira("");
    assert_status("GET", job, joe, NULL, 200);
    assert_status("PATCH", job, joe, "{\"paused\":true}", 403);
    assert_status("PATCH", job, headers[2], "{\"paused\":true}", 200);
    assert_status("PATCH", job, headers[3], "{\"paused\":false}", 200);
    assert_status("DELETE", job, joe, NULL, 403);
    job = job_of_mira("/frames:cancel");
    assert_status("POST", job, joe, "{\"frames\":\"1\"}", 403);
    assert_status("POST", job, headers[2], "{\"frames\":\"1\"}", 200);
    job = job_of_mira(":cancel");
    assert_status("POST", job, joe, "{}", 403);
    assert_status("POST", job, headers[2], "{}", 200);
}

static void taken_back_it_is_none(void **state)
{
    (void)state;
    assert_status("GET", "/v1/jobs", joe, NULL, 200);
    int stream = world_send("GET", "/v1/events", joe, NULL);
    free(world_read(stream, "event-stream"));
    assert_true(tokens_remove(&tokens, "joe-submit"));
    save();
    world.now_ms += 1001;
    world_turn();
    assert_status("GET", "/v1/jobs", joe, NULL, 401);
    assert_status("GET", "/v1/jobs", headers[0], NULL, 200);
    char *end = world_read(stream, "0\r\n\r\n"); /* it was ended */
    assert_non_null(strstr(end, ": the farm's tokens have changed"));
    free(end);
    close(stream);
}

static void a_broken_file_changes_nothing(void **state)
{
    (void)state;
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("{\"tokens\":", file);
    fclose(file);
    world.now_ms += 1001;
    world_turn();
    assert_status("GET", "/v1/jobs", joe, NULL, 200);
}

static void who_was_refused_is_counted(void **state)
{
    (void)state;
    assert_status("GET", "/v1/jobs", "", NULL, 401);
    assert_status("GET", "/v1/jobs", "Authorization: Bearer x\r\n", NULL, 401);
    assert_status("POST", "/v1/jobs", headers[0], JOB, 403);
    assert_status("DELETE", job_of_mira(""), joe, NULL, 403);
    assert_int_equal(broker_refusals(world.broker, REFUSED_TOKEN), 2);
    assert_int_equal(broker_refusals(world.broker, REFUSED_ROLE), 2);
}

/* Signs in by a token; returns the header of its cookie, good until the next.
 */
static const char *sign_in(const char *token)
{
    static char cookie[512];
    struct got got = world_ask("POST", "/v1/session", token, NULL);
    assert_int_equal(got.status, 200);
    const char *value = got_header(&got, "Set-Cookie");
    assert_non_null(value);
    assert_non_null(strstr(value, "; Path=/; HttpOnly; SameSite=Strict"));
    assert_null(strstr(value, "fq_"));
    snprintf(cookie, sizeof cookie, "Cookie: %.*s\r\n",
             (int)strcspn(value, ";"), value);
    got_free(&got);
    return cookie;
}

static void a_session_is_its_token(void **state)
{
    (void)state;
    char header[700];
    const char *cookie = sign_in(headers[2]);
    json_t *job;
    assert_status("GET", "/v1/jobs", cookie, NULL, 200);
    struct got got = world_ask("GET", "/v1/session", cookie, NULL);
    job = json_loads(got.body, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(job, "token")),
                        "mira-submit");
    assert_string_equal(json_string_value(json_object_get(job, "role")),
                        "submit");
    json_decref(job);
    got_free(&got);
    snprintf(header, sizeof header, "%sSec-Fetch-Site: same-origin\r\n",
             cookie);
    assert_status("POST", "/v1/jobs", header, JOB, 202);
    assert_status("PATCH", "/v1/agents/a1", header, "{\"drain\":\"soft\"}",
                  403); /* its role */
    /* It opens no other: one would never end. */
    assert_status("POST", "/v1/session", header, NULL, 400);
    /* A token that is sent counts, whatever the cookie. */
    snprintf(header, sizeof header, "%s%s", cookie, headers[3]);
    assert_status("PATCH", "/v1/agents/a1", header, "{\"drain\":\"soft\"}",
                  404);
}

static void a_session_is_of_the_own_page(void **state)
{
    (void)state;
    char own[64];
    snprintf(own, sizeof own, "Origin: http://127.0.0.1:%d\r\n",
             http_port(world.http));
    const struct {
        const char *says;
        int get, post;
    } rows[] = {
        {"Sec-Fetch-Site: same-origin\r\n", 200, 202},
        {"Sec-Fetch-Site: none\r\n", 200, 202},
        {"Sec-Fetch-Site: same-site\r\n", 403, 403},
        {"Sec-Fetch-Site: cross-site\r\n", 403, 403},
        {own, 200, 202},
        {"Origin: http://127.0.0.1:1\r\n", 403, 403}, /* another's port */
        {"Origin: null\r\n", 403, 403},
        {"", 200, 403}, /* a link or a picture; what changes has to prove it */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char header[700];
        snprintf(header, sizeof header, "%s%s", sign_in(headers[2]),
                 rows[i].says);
        assert_status("GET", "/v1/jobs", header, NULL, rows[i].get);
        assert_status("POST", "/v1/jobs", header, JOB, rows[i].post);
    }
}

static void a_session_ends(void **state)
{
    (void)state;
    const char *cookie = sign_in(joe);
    world.now_ms += INT64_C(7) * 24 * 3600 * 1000 - 1;
    world_turn();
    assert_status("GET", "/v1/jobs", cookie, NULL, 200);
    world.now_ms++;
    world_turn();
    struct got got = world_ask("GET", "/v1/jobs", cookie, NULL);
    assert_int_equal(got.status, 401);
    assert_non_null(strstr(got.body, "the session is over"));
    got_free(&got);
    cookie = sign_in(joe);
    assert_true(tokens_remove(&tokens, "joe-submit"));
    save();
    world.now_ms += 1001;
    world_turn();
    assert_status("GET", "/v1/jobs", cookie, NULL, 401);
    /* The browser is told to forget it, known or not. */
    got = world_ask("DELETE", "/v1/session", cookie, NULL);
    assert_int_equal(got.status, 204);
    assert_non_null(strstr(got_header(&got, "Set-Cookie"), "=; "));
    assert_non_null(strstr(got_header(&got, "Set-Cookie"), "Max-Age=0"));
    got_free(&got);
}

static void a_stream_ends_with_its_session(void **state)
{
    (void)state;
    int over = world_send("GET", "/v1/events", sign_in(joe), NULL);
    free(world_read(over, "event-stream"));
    world.now_ms += 1000;
    world_turn();
    int later = world_send("GET", "/v1/events", sign_in(joe), NULL);
    int token = world_send("GET", "/v1/events", joe, NULL);
    free(world_read(later, "event-stream"));
    free(world_read(token, "event-stream"));
    world.now_ms += INT64_C(7) * 24 * 3600 * 1000 - 1000;
    char *end = world_read(over, "0\r\n\r\n");
    assert_non_null(strstr(end, ": the session is over; sign in again\n\n"));
    free(end);
    assert_int_equal(world.http->n_streams, 2);
    world.now_ms += 1000;
    free(world_read(later, ": the session is over"));
    world_turn();
    assert_int_equal(world.http->n_streams, 1);
    close(over);
    close(later);
    close(token);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_gets_in_without),
        TEST(anybody_may_ask_how_it_is),
        TEST(each_role_may_do_so_much),
        TEST(a_job_is_steered_by_its_user),
        TEST(keys_are_their_users_own),
        TEST(taken_back_it_is_none),
        TEST(a_broken_file_changes_nothing),
        TEST(who_was_refused_is_counted),
        TEST(a_session_is_its_token),
        TEST(a_session_is_of_the_own_page),
        TEST(a_session_ends),
        TEST(a_stream_ends_with_its_session),
    };
    int fd = mkstemp(path);
    assert(fd >= 0);
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
