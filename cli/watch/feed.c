/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker's ZeroMQ feed: a SUB socket, and a monitor of it that tells when
 * the connection is there and when it is gone.
 */
#include "cli/watch/feed.h"

#include <czmq.h>
#include <unistd.h>

#include "cli/doc.h"
#include "common/limits.h"
#include "common/mem.h"

#define HEARTBEAT_IVL_MS     2000
#define HEARTBEAT_TIMEOUT_MS 6000 /* a cut connection is noticed by then */
#define HANDSHAKE_IVL_MS     30000

struct feed {
    zsock_t *sub;
    void *monitor; /* PAIR */
    bool open;
};

static zsock_t *sub_open(void)
{
    zsys_handler_set(NULL); /* Ctrl-C is the verb's */
    zsock_t *sub = zsock_new(ZMQ_SUB);
    if (sub == NULL)
        return NULL;
    zsock_set_heartbeat_ivl(sub, HEARTBEAT_IVL_MS);
    zsock_set_heartbeat_timeout(sub, HEARTBEAT_TIMEOUT_MS);
    zsock_set_handshake_ivl(sub, HANDSHAKE_IVL_MS);
    zsock_set_maxmsgsize(sub, LIMIT_MESSAGE);
    zsock_set_rcvhwm(sub, LIMIT_FEED_RING);
    zsock_set_ipv6(sub, 1);
    zsock_set_subscribe(sub, "");
    return sub;
}

/* Each has a name of its own: libzmq may hold that of the last one still. */
static void *monitor_open(zsock_t *sub)
{
    static unsigned made;
    void *handle = zsock_resolve(sub);
    int events = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED;
    char name[40];
    snprintf(name, sizeof name, "inproc://feed-monitor-%u", made++);
    if (zmq_socket_monitor(handle, name, events) != 0)
        return NULL;
    void *pair = zmq_socket(zsys_init(), ZMQ_PAIR);
    if (pair != NULL)
        zmq_connect(pair, name);
    return pair;
}

static void show_key(zsock_t *sub, const json_t *facts)
{
    const char *server = doc_text(facts, "server_key");
    if (*server == '\0')
        return;
    zsock_set_curve_serverkey(sub, server);
    zsock_set_curve_publickey(sub, doc_text(facts, "public_key"));
    zsock_set_curve_secretkey(sub, doc_text(facts, "secret_key"));
}

struct feed *feed_open(const char *host, const json_t *facts)
{
    int port = (int)doc_int(facts, "port");
    bool v6 = strchr(host, ':') != NULL;
    struct feed *feed = mem_new(sizeof *feed);
    feed->sub = sub_open();
    if (feed->sub != NULL)
        show_key(feed->sub, facts);
    if (feed->sub != NULL)
        feed->monitor = monitor_open(feed->sub);
    if (feed->monitor == NULL ||
        zsock_connect(feed->sub, "tcp://%s%s%s:%d", v6 ? "[" : "", host,
                      v6 ? "]" : "", port) != 0)
        feed_close(&feed);
    return feed;
}

void feed_close(struct feed **feed)
{
    if (*feed == NULL)
        return;
    /* Before its PAIR is closed, or libzmq's I/O thread waits for ever. */
    if ((*feed)->sub != NULL)
        zmq_socket_monitor(zsock_resolve((*feed)->sub), NULL, 0);
    if ((*feed)->monitor != NULL)
        zmq_close((*feed)->monitor);
    zsock_destroy(&(*feed)->sub);
    mem_free(*feed);
    *feed = NULL;
}

/* Takes one monitor event: a frame of the event's number and value, then one
 * of the address. */
static enum feed_news monitor_take(struct feed *feed)
{
    enum feed_news news = FEED_NOTHING;
    uint16_t event = 0;
    zmq_msg_t part;
    do {
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, feed->monitor, ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&part);
            return FEED_NOTHING;
        }
        if (event == 0 && zmq_msg_size(&part) >= sizeof event)
            memcpy(&event, zmq_msg_data(&part), sizeof event);
        int more = zmq_msg_more(&part);
        zmq_msg_close(&part);
        if (!more)
            break;
    } while (true);
    if (event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
        news = FEED_OPEN;
    else if (event == ZMQ_EVENT_DISCONNECTED && feed->open)
        news = FEED_LOST;
    feed->open = news == FEED_OPEN || (feed->open && news != FEED_LOST);
    return news;
}

/* Takes one message, [topic][map]; FEED_NOTHING when it is none of the feed's.
 */
static enum feed_news event_take(struct feed *feed, json_t **ret)
{
    enum feed_news news = FEED_NOTHING;
    zmsg_t *message = zmsg_recv(feed->sub);
    if (message == NULL)
        return FEED_NOTHING;
    zmsg_first(message);
    zframe_t *body = zmsg_next(message);
    if (body != NULL && zmsg_size(message) == 2) {
        *ret = feed_decode(zframe_data(body), zframe_size(body));
        news = *ret == NULL ? FEED_NOTHING : FEED_EVENT;
    }
    zmsg_destroy(&message);
    return news;
}

enum feed_news feed_next(struct feed *feed, int input, int wait_ms,
                         json_t **ret)
{
    zmq_pollitem_t items[] = {
        {.socket = zsock_resolve(feed->sub), .events = ZMQ_POLLIN},
        {.socket = feed->monitor, .events = ZMQ_POLLIN},
        {.fd = STDOUT_FILENO, .events = ZMQ_POLLERR},
        {.fd = input, .events = ZMQ_POLLIN},
    };
    if (zmq_poll(items, input < 0 ? 3 : 4, wait_ms) <= 0)
        return FEED_NOTHING;
    /* Events that came before the connection went are still to be had. */
    if (items[0].revents & ZMQ_POLLIN)
        return event_take(feed, ret);
    if (items[1].revents & ZMQ_POLLIN)
        return monitor_take(feed);
    return FEED_NOTHING;
}
