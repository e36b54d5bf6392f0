/* SPDX-License-Identifier: Apache-2.0
 *
 * A publisher and subscribers that ask for too much, over loopback.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <czmq.h>
#include <stdio.h>
#include <string.h>

#include "broker/agents/ports.h"
#include "broker/agents/publisher.h"
#include "common/app/clock.h"
#include "common/limits.h"

#define PATIENCE_MS 20000

struct world {
    struct publisher *publisher;
    zsock_t *sub;
    char endpoint[64];
    int64_t until_ms;
};

static int set_up(void **state)
{
    static struct world world;
    zsys_handler_set(NULL);
    while (!world.publisher) { /* somebody else may be quicker */
        int port = ports_free_row("127.0.0.1", 1);
        world.publisher = publisher_open(
            &(struct publisher_options){"127.0.0.1", port, NULL, NULL});
        snprintf(world.endpoint, sizeof world.endpoint, "tcp://127.0.0.1:%d",
                 port);
    }
    world.sub = zsock_new(ZMQ_SUB);
    zsock_set_reconnect_ivl(world.sub, 10);
    zsock_set_sndhwm(world.sub, 0); /* else it drops its own subscriptions */
    assert_int_equal(zsock_connect(world.sub, "%s", world.endpoint), 0);
    world.until_ms = clock_now_ms() + PATIENCE_MS;
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    zsock_destroy(&world->sub);
    publisher_close(&world->publisher);
    assert_null(world->publisher);
    return 0;
}

/* One turn; the word, when it comes, in ret. */
static bool turn(struct world *world, const char *topic, char ret[16])
{
    zmq_pollitem_t items[] = {
        {zsock_resolve(world->sub), 0, ZMQ_POLLIN, 0},
        {publisher_socket(world->publisher), 0, ZMQ_POLLIN, 0}};
    assert_true(clock_now_ms() < world->until_ms);
    publisher_read(world->publisher);
    publisher_send(world->publisher, topic, "word", 4);
    zmq_poll(items, 2, 5);
    if (!(items[0].revents & ZMQ_POLLIN))
        return false;
    char *got_topic = NULL, *word = NULL;
    zstr_recvx(world->sub, &got_topic, &word, NULL);
    snprintf(ret, 16, "%s", word);
    bool mine = strcmp(got_topic, topic) == 0;
    zstr_free(&got_topic);
    zstr_free(&word);
    return mine;
}

static void hear(struct world *world, const char *topic)
{
    char word[16];
    while (!turn(world, topic, word))
        ;
    assert_string_equal(word, "word");
}

/* A topic of LIMIT_TOPIC bytes is served; one that is longer cuts its
 * subscriber off, again and again. */
static void long_topics(void **state)
{
    struct world *world = *state;
    char topic[LIMIT_TOPIC + 2] = "", word[16];
    memset(topic, 't', LIMIT_TOPIC);
    zsock_set_subscribe(world->sub, topic);
    hear(world, topic);
    zsock_set_unsubscribe(world->sub, topic);
    topic[LIMIT_TOPIC] = 't';
    zsock_set_subscribe(world->sub, topic);
    for (int i = 0; i < 50; i++)
        turn(world, "other", word);
    zsock_set_unsubscribe(world->sub, topic);
    zsock_set_subscribe(world->sub, "other");
    hear(world, "other");
}

/* Just LIMIT_TOPICS bytes are kept; with one more all subscribers are cut off,
 * and served again when they come back with less. More than
 * LIMIT_TOPICS_PER_TURN are read in several turns. */
static void many_topics(void **state)
{
    struct world *world = *state;
    enum { EACH = 64, COUNT = LIMIT_TOPICS / EACH };
    char topic[EACH + 1], word[16];
    assert_true(COUNT > LIMIT_TOPICS_PER_TURN);
    const void *before = publisher_socket(world->publisher);
    for (int i = 0; i < COUNT; i++) {
        snprintf(topic, sizeof topic, "%0*d", EACH - 1, i);
        zsock_set_subscribe(world->sub, topic); /* and a byte before it */
    }
    hear(world, topic);
    for (int i = 0; i < 20; i++)
        turn(world, topic, word);
    assert_ptr_equal(publisher_socket(world->publisher), before);
    zsock_set_subscribe(world->sub, "one more");
    while (publisher_socket(world->publisher) == before)
        turn(world, topic, word);
    for (int i = 0; i < COUNT; i++) {
        snprintf(topic, sizeof topic, "%0*d", EACH - 1, i);
        zsock_set_unsubscribe(world->sub, topic);
    }
    hear(world, "one more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(long_topics, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_topics, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
