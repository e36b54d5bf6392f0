/* SPDX-License-Identifier: Apache-2.0
 *
 * The ring, and its two readers' ways: XPUB for ZeroMQ subscribers, the
 * listener for SSE streams. An event is built when it happens and numbered when
 * its turn at the commit gate comes, so numbers have no gap and nothing is
 * shown that a crash could undo.
 */
#include "broker/feed_internal.h"

#include <assert.h>
#include <czmq.h>

#include "broker/feed_pack.h"
#include "broker/feed_view.h"
#include "broker/view.h"
#include "common/app/clock.h"
#include "common/limits.h"
#include "common/mem.h"

/* On its way to the gate. */
struct queued {
    struct feed *feed;
    const char *type;
    char *topic;
    json_t *body;
    int64_t at_ms;
};

struct feed {
    struct broker *broker;
    zsock_t *xpub;
    struct feed_item ring[LIMIT_FEED_RING]; /* topic and json owned */
    uint64_t seq;                           /* last published */
    void (*news)(void *ctx);
    void *ctx;
    bool fresh; /* something was published this turn */
};

struct feed *feed_open(const char *host, int port, char *why, size_t size)
{
    struct feed *feed = mem_new(sizeof *feed);
    feed->xpub = zsock_new(ZMQ_XPUB);
    assert(feed->xpub);
    zsock_set_heartbeat_ivl(feed->xpub, 2000);
    zsock_set_heartbeat_timeout(feed->xpub, 6000);
    zsock_set_handshake_ivl(feed->xpub, 30000);
    zsock_set_backlog(feed->xpub, 4096);
    zsock_set_maxmsgsize(feed->xpub, LIMIT_MESSAGE);
    zsock_set_linger(feed->xpub, 200);
    if (zsock_bind(feed->xpub, "tcp://%s:%d", host, port) != port) {
        snprintf(why, size, "cannot bind tcp://%s:%d: %s", host, port,
                 zmq_strerror(zmq_errno()));
        feed_close(&feed);
    }
    return feed;
}

static void item_clear(struct feed_item *item)
{
    mem_free((void *)(uintptr_t)item->topic);
    mem_free((void *)(uintptr_t)item->json);
    *item = (struct feed_item){0};
}

void feed_close(struct feed **feed_ref)
{
    struct feed *feed = *feed_ref;
    if (!feed)
        return;
    zsock_destroy(&feed->xpub);
    for (size_t i = 0; i < LIMIT_FEED_RING; i++)
        item_clear(&feed->ring[i]);
    mem_free(feed);
    *feed_ref = NULL;
}

void *feed_socket(const struct feed *feed)
{
    return zsock_resolve(feed->xpub);
}

/* Subscriptions are libzmq's business; they are only taken off the socket. */
void feed_read(struct feed *feed)
{
    char topic[256];
    while (zmq_recv(zsock_resolve(feed->xpub), topic, sizeof topic,
                    ZMQ_DONTWAIT) >= 0)
        ;
}

static void feed_send(struct feed *feed, const char *topic, const json_t *body)
{
    struct buf packed;
    buf_init(&packed, LIMIT_MESSAGE);
    feed_pack(body, &packed);
    void *sock = zsock_resolve(feed->xpub);
    if (!packed.over &&
        zmq_send(sock, topic, strlen(topic), ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(sock, packed.data, packed.len, ZMQ_DONTWAIT);
    buf_free(&packed);
}

/* The members every event begins with, then its own. */
static json_t *numbered(const struct feed *feed, const struct queued *queued)
{
    char id[64];
    uint64_t epoch = broker_facts(feed->broker)->epoch;
    snprintf(id, sizeof id, "%llu:%llu", (unsigned long long)epoch,
             (unsigned long long)feed->seq);
    json_t *whole =
        json_pack("{s:s, s:I, s:I, s:s}", "id", id, "epoch", (json_int_t)epoch,
                  "seq", (json_int_t)feed->seq, "type", queued->type);
    view_put(whole, "time", view_time(queued->at_ms));
    json_object_update(whole, queued->body);
    return whole;
}

/* The gate has opened for one event: it gets its number and goes out. */
static void publish(void *ctx)
{
    struct queued *queued = ctx;
    struct feed *feed = queued->feed;
    feed->seq++;
    json_t *whole = numbered(feed, queued);
    struct feed_item *item = &feed->ring[feed->seq % LIMIT_FEED_RING];
    struct buf json;
    buf_init(&json, LIMIT_MESSAGE);
    (void)view_write(whole, &json);
    item_clear(item);
    *item = (struct feed_item){feed->seq, queued->type, queued->topic,
                               buf_take(&json)};
    feed_send(feed, queued->topic, whole);
    feed->fresh = true;
    json_decref(whole);
    json_decref(queued->body);
    mem_free(queued);
}

static void feed_project(void *ctx, const struct event *event)
{
    struct feed *feed = ctx;
    struct feed_view view = feed_view_event(broker_core(feed->broker), event);
    if (!view.type)
        return;
    struct queued *queued = mem_new(sizeof *queued);
    *queued = (struct queued){feed, view.type, mem_text(view.topic), view.body,
                              event->at_ms};
    broker_answer(feed->broker, publish, queued);
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
    return &feed->ring[next % LIMIT_FEED_RING];
}
