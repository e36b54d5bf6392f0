/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's HTTP client and its calls to a node, against a socket of the
 * test's own that records what it is asked and plays what it is told: whole
 * answers, cut ones, endless ones, none.
 */
#include "worker-agent/node_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/app/clock.h"
#include "common/mem.h"
#include "worker-agent/address.h"
#include "worker-agent/farm.h"

#define JOB         "AAAAAAAAAAAAAAAA"
#define PATIENCE_MS 20000 /* an event that takes longer will not come */

struct world {
    int listener, peer; /* the node's; peer -1: no connection */
    char url[64];
    struct buf asked;   /* the last request, as it came */
    const char *answer; /* sent once a request is in; NULL: nothing */
    size_t answer_len;
    bool then_close;
    int connections;

    struct web *web;
    struct node_client *node;
    struct node_answer got; /* its numbers; the text is in `text` */
    char text[256];
    struct probe_answer probed;
    int answers;
    int64_t skew_ms; /* the client's clock is ahead by that */
};

static void answered(void *ctx, uint64_t lease, enum call call,
                     const struct node_answer *answer)
{
    struct world *world = ctx;
    (void)call;
    assert_true(lease == LEASE_ID(7, 12));
    world->got = *answer;
    snprintf(world->text, sizeof world->text, "%s", answer->text);
    world->answers++;
}

static void probed(void *ctx, const struct probe_answer *answer)
{
    struct world *world = ctx;
    world->probed = *answer;
    world->answers++;
}

static void listen_anew(struct world *world)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    world->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(world->listener, (struct sockaddr *)&at, sizeof at),
                     0);
    assert_int_equal(listen(world->listener, 8), 0);
    getsockname(world->listener, (struct sockaddr *)&at, &len);
    snprintf(world->url, sizeof world->url, "http://127.0.0.1:%d",
             ntohs(at.sin_port));
}

static int set_up(void **state)
{
    static struct world world;
    memset(&world, 0, sizeof world);
    const struct node_client_hooks hooks = {answered, probed, &world};
    listen_anew(&world);
    world.peer = -1;
    buf_init(&world.asked, 1 << 20);
    world.web = web_open();
    world.node = node_client_open(world.web, world.url, &hooks);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    web_close(&world->web);
    node_client_close(&world->node);
    if (world->peer >= 0)
        close(world->peer);
    close(world->listener);
    buf_free(&world->asked);
    return 0;
}

/* --- The node. --- */

static bool request_is_whole(const struct buf *asked)
{
    const char *text = buf_text(asked);
    const char *end = strstr(text, "\r\n\r\n");
    const char *length = strstr(text, "Content-Length: ");
    if (end == NULL)
        return false;
    size_t body = length == NULL
                      ? 0
                      : strtoul(length + strlen("Content-Length: "), NULL, 10);
    return asked->len >= (size_t)(end + 4 - text) + body;
}

static void node_close(struct world *world)
{
    close(world->peer);
    world->peer = -1;
}

static void node_answer(struct world *world)
{
    if (world->answer != NULL)
        send(world->peer, world->answer, world->answer_len,
             MSG_NOSIGNAL | MSG_DONTWAIT);
    if (world->then_close)
        node_close(world);
}

static void node_read(struct world *world)
{
    char bytes[4096];
    ssize_t n = recv(world->peer, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n == 0)
        node_close(world);
    if (n <= 0)
        return;
    if (request_is_whole(&world->asked))
        buf_clear(&world->asked);
    buf_add(&world->asked, bytes, (size_t)n);
    if (request_is_whole(&world->asked))
        node_answer(world);
}

static void node_turn(struct world *world)
{
    int fd = accept(world->listener, NULL, NULL);
    if (fd >= 0) {
        if (world->peer >= 0)
            close(world->peer);
        world->peer = fd;
        world->connections++;
    }
    if (world->peer >= 0)
        node_read(world);
}

static int64_t client_now(const struct world *world)
{
    return clock_now_ms() + world->skew_ms;
}

static void turn(struct world *world)
{
    struct pollfd items[] = {{web_fd(world->web), POLLIN, 0},
                             {world->listener, POLLIN, 0},
                             {world->peer, POLLIN, 0}};
    poll(items, 3, 10);
    node_turn(world);
    web_run(world->web, client_now(world));
}

static void turn_until_answer(struct world *world)
{
    int64_t until_ms = clock_now_ms() + PATIENCE_MS;
    world->answers = 0;
    while (world->answers == 0) {
        assert_true(clock_now_ms() < until_ms);
        turn(world);
    }
}

static void play(struct world *world, const char *answer)
{
    world->answer = answer;
    world->answer_len = answer == NULL ? 0 : strlen(answer);
}

#define OK_JSON(len, body)                                                     \
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"                    \
    "Content-Length: " #len "\r\n\r\n" body

/* --- Calls. --- */

static char job[] = JOB, name[] = "shot", render[] = "{\"samples\":4}";
static const struct node_facts classic = {.known = true, .classic = true};
static const struct node_facts ours = {
    .known = true, .can_wait = true, .can_key = true};

static struct lease lease_of(void)
{
    return (struct lease){.id = LEASE_ID(7, 12),
                          .job = job,
                          .name = name,
                          .render = render,
                          .from = 1,
                          .to = 9,
                          .step = 2,
                          .pid = 77,
                          .revision = 5};
}

static void assert_asked(const struct world *world, const char *words)
{
    if (strstr(buf_text(&world->asked), words) == NULL)
        fail_msg("\"%s\" is not in: %s", words, buf_text(&world->asked));
}

static void assert_not_asked(const struct world *world, const char *words)
{
    if (strstr(buf_text(&world->asked), words) != NULL)
        fail_msg("\"%s\" is in: %s", words, buf_text(&world->asked));
}

static void test_post_classic(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_of();
    play(world, "HTTP/1.1 202 Accepted\r\nContent-Length: 12\r\n\r\n"
                "{\"pid\":4711}");
    node_client_post(world->node, client_now(world), &lease, &classic);
    turn_until_answer(world);
    assert_int_equal(world->got.word, ANSWER_TAKEN);
    assert_int_equal(world->got.pid, 4711);
    assert_asked(world, "POST /job HTTP/1.1\r\n");
    assert_asked(world, "Content-Type: application/json\r\n");
    assert_asked(world, "\r\n\r\n{\"from\":1,\"to\":9}");
    assert_not_asked(world, "Expect");
    assert_not_asked(world, "traceparent");
    node_client_post(world->node, client_now(world), &lease, &classic);
    turn_until_answer(world);
    assert_int_equal(world->connections, 2); /* never on a used one */
}

static void test_post_ours(void **state)
{
    char trace[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    struct world *world = *state;
    struct lease lease = lease_of();
    lease.replace = true;
    lease.trace = trace;
    play(world, "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
    node_client_post(world->node, client_now(world), &lease, &ours);
    turn_until_answer(world);
    assert_int_equal(world->got.word, ANSWER_BUSY);
    assert_asked(world, "Accept: application/json\r\n");
    assert_asked(world, "traceparent: 00-0af7651916cd43dd8448eb211c80319c-");
    assert_not_asked(world, "b7ad6b7169203331"); /* a span of its own */
    assert_asked(world, "{\"samples\":4,\"from\":1,\"to\":9,\"key\":\"7-12\","
                        "\"step\":2,\"replace\":true,\"job\":\"" JOB "\","
                        "\"name\":\"shot\"}");
    lease.plain = true;
    lease.replace = false;
    node_client_post(world->node, client_now(world), &lease, &ours);
    turn_until_answer(world);
    assert_asked(world, "{\"samples\":4,\"from\":1,\"to\":9,\"key\":\"7-12\","
                        "\"step\":2,\"replace\":false}");
    assert_int_equal(world->connections, 1);
}

static void test_poll(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_of();
    play(world, OK_JSON(19, "{\"state\":\"running\"}"));
    node_client_poll(world->node, client_now(world), &lease, &ours);
    turn_until_answer(world);
    assert_int_equal(world->got.word, ANSWER_RUNNING);
    assert_asked(world, "GET /job/77?wait=20&after=5 HTTP/1.1\r\n");
    play(world, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nJob completed");
    node_client_poll(world->node, client_now(world), &lease, &classic);
    turn_until_answer(world);
    assert_int_equal(world->got.word, ANSWER_COMPLETED);
    assert_asked(world, "GET /job/77 HTTP/1.1\r\n");
    assert_not_asked(world, "application/json");
}

static void test_orders(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_of();
    play(world, OK_JSON(8, "{\"to\":5}"));
    node_client_trim(world->node, client_now(world), &lease, 4);
    turn_until_answer(world);
    assert_int_equal(world->got.word, ANSWER_TRIMMED);
    assert_int_equal(world->got.to, 5);
    assert_asked(world, "PATCH /job/77 HTTP/1.1\r\n");
    assert_asked(world, "\r\n\r\n{\"to\":4}");
    node_client_trim(world->node, client_now(world), &lease, -1);
    turn_until_answer(world);
    assert_asked(world, "\r\n\r\n{\"to\":1}");
    play(world, "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n");
    node_client_stop(world->node, client_now(world), &lease);
    turn_until_answer(world);
    assert_int_equal(world->got.word, ANSWER_AGREED);
    assert_asked(world, "DELETE /job/77 HTTP/1.1\r\n");
}

static void test_probe(void **state)
{
    struct world *world = *state;
    play(world, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK");
    node_client_probe(world->node, client_now(world), PROBE_HEALTH);
    turn_until_answer(world);
    assert_int_equal(world->probed.word, PROBE_ALIVE);
    assert_asked(world, "GET /health HTTP/1.1\r\n");
    node_client_probe(world->node, client_now(world), PROBE_INFO);
    turn_until_answer(world);
    assert_int_equal(world->probed.word, PROBE_STRANGE);
    assert_asked(world, "GET /info HTTP/1.1\r\n");
}

/* --- What can go wrong on the way. --- */

static void test_nobody_there(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_of();
    close(world->listener);
    node_client_post(world->node, client_now(world), &lease, &ours);
    turn_until_answer(world);
    assert_int_equal(world->got.word, ANSWER_UNSENT);
    listen_anew(world);
}

static void test_closed_before_answer(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_of();
    play(world, NULL);
    world->then_close = true;
    node_client_post(world->node, client_now(world), &lease, &classic);
    turn_until_answer(world);
    assert_int_equal(world->got.word, ANSWER_SILENT);
    assert_int_equal(world->connections, 1); /* not sent a second time */
}

static void test_cut_answer(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_of();
    play(world, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nJob comp");
    world->then_close = true;
    node_client_poll(world->node, client_now(world), &lease, &classic);
    turn_until_answer(world);
    assert_int_equal(world->got.word, ANSWER_SILENT);
}

static void test_no_answer(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_of();
    play(world, NULL);
    node_client_post(world->node, client_now(world), &lease, &ours);
    while (!request_is_whole(&world->asked))
        turn(world);
    assert_int_equal(world->answers, 0);
    assert_true(web_next(world->web) <= client_now(world) + 10001);
}

static void test_endless_answer(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_of();
    size_t len = LIMIT_BODY + 100000;
    char *endless = mem_new(len);
    memset(endless, 'x', len);
    static const char head[] = "HTTP/1.1 200 OK\r\n\r\n";
    memcpy(endless, head, sizeof head - 1);
    int64_t until_ms = clock_now_ms() + PATIENCE_MS;
    play(world, NULL);
    node_client_poll(world->node, client_now(world), &lease, &classic);
    size_t sent = 0;
    while (world->answers == 0) {
        assert_true(clock_now_ms() < until_ms);
        turn(world);
        if (request_is_whole(&world->asked) && world->peer >= 0) {
            ssize_t n = send(world->peer, endless + sent, len - sent,
                             MSG_NOSIGNAL | MSG_DONTWAIT);
            sent += n > 0 ? (size_t)n : 0;
        }
    }
    assert_int_equal(world->got.word, ANSWER_ODD);
    assert_non_null(strstr(world->text, "too large"));
    mem_free(endless);
}

static void test_redirects_are_not_followed(void **state)
{
    struct world *world = *state;
    struct lease lease = lease_of();
    play(world, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n"
                "Content-Length: 0\r\n\r\n");
    node_client_poll(world->node, client_now(world), &lease, &classic);
    turn_until_answer(world);
    assert_int_equal(world->got.word, ANSWER_ODD);
    assert_not_asked(world, "elsewhere");
}

/* --- The broker's ports. --- */

static void test_farm(void **state)
{
    static const struct {
        const char *body;
        int status;
        bool good;
    } cases[] = {
        {"{\"ports\":{\"status\":4001,\"control\":4002}}", 200, true},
        {"{\"ports\":{\"status\":4001,\"control\":70000}}", 200, false},
        {"{\"ports\":{\"status\":4001}}", 200, false},
        {"<html>", 200, false},
        {"{\"ports\":{\"status\":4001,\"control\":4002}}", 404, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct farm farm;
        char why[128] = "";
        struct web_answer answer = {WEB_ANSWERED, cases[i].status,
                                    cases[i].body, strlen(cases[i].body), ""};
        assert_int_equal(farm_read(&answer, &farm, why, sizeof why),
                         cases[i].good);
        assert_int_equal(why[0] == '\0', cases[i].good);
    }
}

static void test_addresses(void **state)
{
    struct address address;
    (void)state;
    assert_true(address_read("http://render-01:4000", &address));
    assert_string_equal(address.host, "render-01");
    assert_int_equal(address.port, 4000);
    assert_false(address_is_local(&address));
    assert_true(address_read("https://farm.example", &address));
    assert_int_equal(address.port, 443);
    assert_true(address_read("http://[::1]:3001", &address));
    assert_string_equal(address.host, "[::1]");
    assert_true(address_is_local(&address));
    assert_true(address_read("http://127.0.0.1:3001", &address));
    assert_true(address_is_local(&address));
    assert_false(address_read("nonsense", &address));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_post_classic),
        TEST(test_post_ours),
        TEST(test_poll),
        TEST(test_orders),
        TEST(test_probe),
        TEST(test_nobody_there),
        TEST(test_closed_before_answer),
        TEST(test_cut_answer),
        TEST(test_no_answer),
        TEST(test_endless_answer),
        TEST(test_redirects_are_not_followed),
        cmocka_unit_test(test_farm),
        cmocka_unit_test(test_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
