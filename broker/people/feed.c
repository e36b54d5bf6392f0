/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring, and its two readers' ways: XPUB for ZeroMQ subscribers, the
 * listener for SSE streams. What an event shows is kept when it happens, and
 * numbered when its turn at the commit gate comes, so numbers have no gap and
 * nothing is shown that a crash could undo. Events come several a batch and
 * mostly nobody looks: they are written out only for who does.
 */
#include "broker/people/feed_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

#include "broker/agents/publisher.h"
#include "broker/agents/zap.h"
#include "broker/views/feed_pack.h"
#include "broker/views/feed_view.h"
#include "common/app/clock.h"
#include "common/limits.h"
#include "common/mem.h"

/* On its way to the gate, then in the ring. */
struct entry {
    struct feed *feed;
    struct feed_item item;
    char texts[]; /* the topic, then the body */
};

struct feed {
    struct broker *broker;
    struct publisher *publisher;
    struct entry *ring[LIMIT_FEED_RING];
    uint64_t seq;    /* last published */
    struct buf text; /* being written */
    void (*news)(void *ctx);
    void *ctx;
    bool fresh; /* something was published this turn */
};

struct feed *feed_open(const char *host, int port, const char *key, char *why,
                       size_t size)
{
    const struct publisher_options options = {host, port, key, ZAP_FEED};
    struct feed *feed = mem_new(sizeof *feed);
    buf_init(&feed->text, LIMIT_MESSAGE);
    feed->publisher = publisher_open(&options);
    if (!feed->publisher) {
        snprintf(why, size, "cannot bind tcp://%s:%d: %s", host, port,
                 zmq_strerror(zmq_errno()));
        feed_close(&feed);
    }
    return feed;
}

void feed_close(struct feed **feed_ref)
{
    struct feed *feed = *feed_ref;
    if (!feed)
        return;
    publisher_close(&feed->publisher);
    for (size_t i = 0; i < LIMIT_FEED_RING; i++)
        mem_free(feed->ring[i]);
    buf_free(&feed->text);
    mem_free(feed);
    *feed_ref = NULL;
}

void *feed_socket(const struct feed *feed)
{
    return publisher_socket(feed->publisher);
}

void feed_read(struct feed *feed)
{
    if (!publisher_read(feed->publisher))
        broker_refused(feed->broker, REFUSED_TOPICS, 1);
}

void feed_write(const struct feed_item *item, uint64_t epoch, struct buf *out)
{
    char time[CLOCK_TEXT_SIZE];
    buf_print(out,
              "{\"id\":\"%" PRIu64 ":%" PRIu64 "\",\"epoch\":%" PRIu64
              ",\"seq\":%" PRIu64 ",\"type\":\"%s\",\"time\":\"%s\"%s}",
              epoch, item->seq, epoch, item->seq, item->type,
              clock_text(item->at_ms, time), item->body);
}

static void feed_send(struct feed *feed, const struct feed_item *item)
{
    struct buf packed;
    buf_clear(&feed->text);
    feed_write(item, broker_facts(feed->broker)->epoch, &feed->text);
    json_t *body = json_loads(buf_text(&feed->text), 0, NULL);
    buf_init(&packed, LIMIT_MESSAGE);
    feed_pack(body, &packed);
    json_decref(body);
    if (!packed.over)
        publisher_send(feed->publisher, item->topic, packed.data, packed.len);
    buf_free(&packed);
}

/* The gate has opened for one event: it gets its number and goes out. */
static void publish(void *ctx)
{
    struct entry *entry = ctx;
    struct feed *feed = entry->feed;
    entry->item.seq = ++feed->seq;
    struct entry **place = &feed->ring[feed->seq % LIMIT_FEED_RING];
    mem_free(*place);
    *place = entry;
    if (publisher_wanted(feed->publisher))
        feed_send(feed, &entry->item);
    feed->fresh = true;
}

static void feed_project(void *ctx, const struct event *event)
{
    struct feed *feed = ctx;
    buf_clear(&feed->text);
    struct feed_view view =
        feed_view_event(broker_core(feed->broker), event, &feed->text);
    if (!view.type)
        return;
    assert(!feed->text.over); /* all that is in it is bounded far below */
    size_t topic_size = strlen(view.topic) + 1, size = feed->text.len + 1;
    struct entry *entry = mem_new(sizeof *entry + topic_size + size);
    char *body = entry->texts + topic_size;
    memcpy(entry->texts, view.topic, topic_size);
    memcpy(body, buf_text(&feed->text), size);
    entry->feed = feed;
    entry->item =
        (struct feed_item){0, event->at_ms, view.type, entry->texts, body};
    broker_answer(feed->broker, publish, mem_free, entry);
}

void feed_start(struct feed *feed, struct broker *broker)
{
    feed->broker = broker;
    broker_project(broker, feed_project, feed);
}

void feed_settle(struct feed *feed)
{
    if (feed->fresh && feed->news)
        feed->news(feed->ctx);
    feed->fresh = false;
}

void feed_listen(struct feed *feed, void (*news)(void *ctx), void *ctx)
{
    feed->news = news;
    feed->ctx = ctx;
}

uint64_t feed_seq(const struct feed *feed)
{
    return feed->seq;
}

const struct feed_item *feed_after(const struct feed *feed, uint64_t seq,
                                   bool *ret_lost)
{
    uint64_t oldest =
        feed->seq > LIMIT_FEED_RING ? feed->seq - LIMIT_FEED_RING + 1 : 1;
    *ret_lost = seq + 1 < oldest;
    if (seq >= feed->seq)
        return NULL;
    uint64_t next = *ret_lost ? oldest : seq + 1;
    return &feed->ring[next % LIMIT_FEED_RING]->item;
}
