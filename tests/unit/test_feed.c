/* SPDX-License-Identifier: Apache-2.0
 *
 * The feed's ring. What it needs of the broker is the test's own: the seam is
 * the linker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "broker/agents/publisher.h"
#include "broker/broker_internal.h"
#include "broker/people/feed_internal.h"
#include "broker/views/feed_view.h"
#include "common/limits.h"

static broker_projector *project;
static void *project_ctx;
static size_t published;

struct publisher *publisher_open(const struct publisher_options *options)
{
    (void)options;
    return (struct publisher *)&published;
}

void publisher_close(struct publisher **publisher)
{
    *publisher = NULL;
}

void *publisher_socket(const struct publisher *publisher)
{
    (void)publisher;
    return NULL;
}

void broker_refused(struct broker *broker, enum refused why, uint64_t n)
{
    (void)broker;
    (void)why;
    (void)n;
}

bool publisher_read(struct publisher *publisher)
{
    (void)publisher;
    return true;
}

bool publisher_wanted(const struct publisher *publisher)
{
    (void)publisher;
    return true;
}

void publisher_send(struct publisher *publisher, const char *topic,
                    const void *bytes, size_t len)
{
    assert_ptr_equal(publisher, &published);
    assert_string_equal(topic, "job/x/");
    assert_true(bytes != NULL && len > 0);
    published++;
}

void broker_project(struct broker *broker, broker_projector *projector,
                    void *ctx)
{
    (void)broker;
    project = projector;
    project_ctx = ctx;
}

const struct core *broker_core(const struct broker *broker)
{
    (void)broker;
    return NULL;
}

const struct broker_facts *broker_facts(const struct broker *broker)
{
    static const struct broker_facts facts = {.epoch = 7};
    (void)broker;
    return &facts;
}

void broker_answer(struct broker *broker, void (*send)(void *ctx),
                   void (*drop)(void *ctx), void *ctx)
{
    (void)broker;
    (void)drop;
    send(ctx);
}

struct feed_view feed_view_event(const struct core *core,
                                 const struct event *event, struct buf *body)
{
    (void)core;
    (void)event;
    buf_print(body, ",\"counts\":1");
    return (struct feed_view){"job", "job/x/", body};
}

/* LIMIT_FEED_RING events are kept; the one before them is lost. */
static void ring_keeps_the_last(void **state)
{
    (void)state;
    char why[64];
    bool lost;
    struct event event = {0};
    struct feed *feed = feed_open("127.0.0.1", 1, NULL, why, sizeof why);
    feed_start(feed, NULL);
    for (int i = 0; i < LIMIT_FEED_RING; i++)
        project(project_ctx, &event);
    const struct feed_item *first = feed_after(feed, 0, &lost);
    assert_false(lost);
    assert_int_equal(first->seq, 1);
    struct buf text;
    buf_init(&text, LIMIT_MESSAGE);
    feed_write(first, 7, &text);
    assert_string_equal(buf_text(&text),
                        "{\"id\":\"7:1\",\"epoch\":7,\"seq\":1,"
                        "\"type\":\"job\",\"time\":"
                        "\"1970-01-01T00:00:00.000Z\",\"counts\":1}");
    buf_free(&text);
    project(project_ctx, &event);
    assert_int_equal(feed_after(feed, 0, &lost)->seq, 2);
    assert_true(lost);
    assert_int_equal(feed_after(feed, 1, &lost)->seq, 2);
    assert_false(lost);
    assert_null(feed_after(feed, LIMIT_FEED_RING + 1, &lost));
    assert_int_equal(published, LIMIT_FEED_RING + 1);
    feed_close(&feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_keeps_the_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
