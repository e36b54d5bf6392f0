/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's sockets against a broker played by the test, over loopback on
 * free ports: what is said is heard, what is wrong is dropped, a lane is used
 * once.
 */
#include "worker-agent/link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <czmq.h>

#include "common/app/clock.h"
#include "common/limits.h"

#define PATIENCE_MS 20000 /* an event that takes longer will not come */

struct world {
    zsock_t *status, *control, *lane; /* the broker's */
    int status_port, control_port, lane_port;
    struct link *link;
    struct buf heard; /* what the agent heard, as words */
    struct buf out;
};

static void hear(void *ctx, enum link_end from, const struct msg *msg)
{
    struct world *world = ctx;
    buf_print(&world->heard, "%s%d ", from == LINK_LANE ? "lane" : "control",
              (int)msg->kind);
}

static void cut(void *ctx, enum link_end end)
{
    struct world *world = ctx;
    buf_print(&world->heard, "cut-%s ", end == LINK_LANE ? "lane" : "control");
    if (end == LINK_LANE)
        link_drop_lane(world->link);
}

static void refused(void *ctx, enum link_end end)
{
    struct world *world = ctx;
    buf_print(&world->heard, "refused-%s ",
              end == LINK_LANE ? "lane" : "control");
}

static int set_up(void **state)
{
    static struct world world;
    const struct link_hooks hooks = {hear, cut, refused, &world};
    world.link = link_open("a1", NULL, &hooks);
    world.status = zsock_new(ZMQ_SUB);
    world.control = zsock_new(ZMQ_PUB);
    world.lane = zsock_new(ZMQ_PUSH);
    zsock_set_subscribe(world.status, "");
    world.status_port = zsock_bind(world.status, "tcp://127.0.0.1:*");
    world.control_port = zsock_bind(world.control, "tcp://127.0.0.1:*");
    world.lane_port = zsock_bind(world.lane, "tcp://127.0.0.1:*");
    buf_init(&world.heard, 65536);
    buf_init(&world.out, LIMIT_MESSAGE);
    link_connect(world.link, "127.0.0.1", world.status_port,
                 world.control_port);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    link_close(&world->link);
    zsock_destroy(&world->status);
    zsock_destroy(&world->control);
    zsock_destroy(&world->lane);
    buf_free(&world->heard);
    buf_free(&world->out);
    return 0;
}

static void run(struct world *world, long wait_ms)
{
    zmq_pollitem_t items[LINK_ITEMS];
    int n = link_items(world->link, items);
    zmq_poll(items, n, wait_ms);
    link_run(world->link);
}

static void say(struct world *world, const char *topic, const struct msg *msg)
{
    buf_clear(&world->out);
    assert_true(msg_encode(msg, &world->out));
    void *sock = zsock_resolve(world->control);
    zmq_send(sock, topic, strlen(topic), ZMQ_SNDMORE);
    zmq_send(sock, world->out.data, world->out.len, 0);
}

/* Says it again and again until word is heard: a new subscription takes its
 * time, and nothing tells when it is through. */
static void say_until(struct world *world, const char *topic,
                      const struct msg *msg, const char *word)
{
    int64_t until_ms = clock_now_ms() + PATIENCE_MS;
    while (strstr(buf_text(&world->heard), word) == NULL) {
        assert_true(clock_now_ms() < until_ms);
        say(world, topic, msg);
        run(world, 10);
    }
    buf_clear(&world->heard);
}

static void run_until(struct world *world, const char *word)
{
    int64_t until_ms = clock_now_ms() + PATIENCE_MS;
    while (strstr(buf_text(&world->heard), word) == NULL) {
        assert_true(clock_now_ms() < until_ms);
        run(world, 10);
    }
    buf_clear(&world->heard);
}

static const struct msg beat = {.kind = KIND_BEAT, .beat = {1, 1}};
static const struct msg who = {.kind = KIND_WHO};
#define BEAT_HEARD "control10 "
#define WHO_HEARD  "control9 "

static void test_control(void **state)
{
    struct world *world = *state;
    say_until(world, "C/a1/", &beat, BEAT_HEARD);
    say_until(world, "C/*/", &beat, BEAT_HEARD);
    say(world, "C/a10/", &beat); /* another agent's */
    say(world, "C/a1/", &who);
    run_until(world, WHO_HEARD);
}

/* LIMIT_DRAIN_PER_TURN messages a turn, and the next one in the next. */
static void test_a_flood_waits_its_turn(void **state)
{
    struct world *world = *state;
    size_t each = strlen(WHO_HEARD);
    say_until(world, "C/a1/", &beat, BEAT_HEARD);
    for (int i = 0; i < LIMIT_DRAIN_PER_TURN + 1; i++)
        say(world, "C/a1/", &who);
    say(world, "C/a1/", &beat);
    size_t most = 0, before = 0;
    int64_t until_ms = clock_now_ms() + PATIENCE_MS;
    while (strstr(buf_text(&world->heard), BEAT_HEARD) == NULL) {
        assert_true(clock_now_ms() < until_ms);
        run(world, 10);
        size_t heard = (world->heard.len - before) / each;
        most = heard > most ? heard : most;
        before = world->heard.len;
    }
    assert_in_range(most, 1, LIMIT_DRAIN_PER_TURN);
    assert_int_equal(world->heard.len,
                     (LIMIT_DRAIN_PER_TURN + 1) * each + strlen(BEAT_HEARD));
}

static void test_nonsense_is_dropped(void **state)
{
    struct world *world = *state;
    void *sock = zsock_resolve(world->control);
    say_until(world, "C/a1/", &beat, BEAT_HEARD);
    zmq_send(sock, "C/a1/", 5, 0);
    zmq_send(sock, "C/a1/", 5, ZMQ_SNDMORE);
    zmq_send(sock, "\x91\xff", 2, 0);
    say(world, "C/a1/", &who);
    int64_t until_ms = clock_now_ms() + PATIENCE_MS;
    while (strstr(buf_text(&world->heard), WHO_HEARD) == NULL) {
        assert_true(clock_now_ms() < until_ms);
        run(world, 10);
    }
    const char *last = strstr(buf_text(&world->heard), WHO_HEARD);
    assert_string_equal(last, WHO_HEARD);
}

static void test_state(void **state)
{
    struct world *world = *state;
    struct msg sent = {.kind = KIND_STATE,
                       .state = {.agent = "a1", .inc = 1, .seq = 1}};
    void *sock = zsock_resolve(world->status);
    int64_t until_ms = clock_now_ms() + PATIENCE_MS;
    char topic[64];
    int n = -1;
    while (n < 0) { /* the first ones may be lost */
        assert_true(clock_now_ms() < until_ms);
        link_send(world->link, &sent);
        zmq_pollitem_t item = {.socket = sock, .events = ZMQ_POLLIN};
        zmq_poll(&item, 1, 10);
        n = zmq_recv(sock, topic, sizeof topic, ZMQ_DONTWAIT);
    }
    assert_int_equal(n, 5);
    assert_memory_equal(topic, "S/a1/", 5);
    char body[1024], why[128];
    n = zmq_recv(sock, body, sizeof body, ZMQ_DONTWAIT);
    struct arena arena = {0};
    struct msg got;
    assert_true(msg_decode(body, (size_t)n, &arena, &got, why, sizeof why));
    assert_string_equal(got.state.agent, "a1");
    arena_done(&arena);
}

static void push_batch(struct world *world)
{
    const struct msg msg = {.kind = KIND_BATCH,
                            .batch = {.epoch = 1,
                                      .lane = 1,
                                      .dseq = 1,
                                      .lease = LEASE_ID(1, 1),
                                      .job = "AAAAAAAAAAAAAAAA",
                                      .step = 1,
                                      .render = "{}"}};
    buf_clear(&world->out);
    assert_true(msg_encode(&msg, &world->out));
    zsock_set_sndtimeo(world->lane, PATIENCE_MS);
    assert_true(zmq_send(zsock_resolve(world->lane), world->out.data,
                         world->out.len, 0) > 0);
}

/* What came before the connection was closed is heard; the next owner of the
 * port has this agent's ear no more. */
static void test_lane(void **state)
{
    struct world *world = *state;
    link_take_lane(world->link, world->lane_port);
    push_batch(world);
    run_until(world, "lane2 ");
    zsock_destroy(&world->lane);
    run_until(world, "cut-lane ");
    world->lane = zsock_new(ZMQ_PUSH);
    assert_int_equal(
        zsock_bind(world->lane, "tcp://127.0.0.1:%d", world->lane_port),
        world->lane_port);
    say_until(world, "C/a1/", &beat, BEAT_HEARD); /* time for a reconnect */
    assert_int_equal(zsock_events(world->lane) & ZMQ_POLLOUT, 0);
    link_take_lane(world->link, world->lane_port);
    push_batch(world);
    run_until(world, "lane2 ");
}

static void test_lane_that_is_not_there(void **state)
{
    struct world *world = *state;
    zsock_destroy(&world->lane);
    link_take_lane(world->link, world->lane_port);
    run_until(world, "cut-lane ");
}

static void test_control_is_cut(void **state)
{
    struct world *world = *state;
    say_until(world, "C/a1/", &beat, BEAT_HEARD);
    zsock_destroy(&world->control);
    run_until(world, "cut-control ");
    world->control = zsock_new(ZMQ_PUB);
    int port = zsock_bind(world->control, "tcp://127.0.0.1:*");
    link_connect(world->link, "127.0.0.1", world->status_port, port);
    say_until(world, "C/a1/", &beat, BEAT_HEARD);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_control),
        TEST(test_a_flood_waits_its_turn),
        TEST(test_nonsense_is_dropped),
        TEST(test_state),
        TEST(test_lane),
        TEST(test_lane_that_is_not_there),
        TEST(test_control_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
