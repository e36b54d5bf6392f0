/* SPDX-License-Identifier: Apache-2.0
 *
 * Closed connections are heard of through libzmq's monitors, one PAIR each,
 * polled with the rest. A lane never reconnects: an agent that did would read
 * what was sent to the next owner of its port.
 */
#include "worker-agent/link.h"

#include <assert.h>
#include <czmq.h>
#include <stdio.h>
#include <string.h>

#include "common/app/log.h"
#include "common/limits.h"
#include "common/mem.h"

#define HOST_SIZE 256

#define CURVE_MORE       33 /* bytes that encryption adds to a message */
#define SUBSCRIPTION_MAX (2 * LIMIT_TOPIC) /* or a part of a handshake */

/* A socket and the ear for its connection. */
struct line {
    zsock_t *sock, *monitor;
};

struct link {
    char agent[LIMIT_AGENT + 1], host[HOST_SIZE];
    char server[CURVE_KEY_SIZE]; /* "": no keys */
    char public[CURVE_KEY_SIZE], secret[CURVE_KEY_SIZE];
    struct link_hooks hooks;
    zsock_t *status;
    struct line control, lane;
    struct arena arena;
    struct buf out;
};

static void take_keys(struct link *link, const struct join *join)
{
    memcpy(link->server, join->server, sizeof link->server);
    memcpy(link->secret, join->secret, sizeof link->secret);
    zmq_curve_public(link->public, link->secret);
}

struct link *link_open(const char *agent, const struct join *join,
                       const struct link_hooks *hooks)
{
    struct link *link = mem_new(sizeof *link);
    zsys_handler_set(NULL);
    zsys_set_max_sockets(0);
    snprintf(link->agent, sizeof link->agent, "%s", agent);
    if (join != NULL)
        take_keys(link, join);
    link->hooks = *hooks;
    buf_init(&link->out, LIMIT_MESSAGE);
    return link;
}

static void line_close(struct line *line)
{
    if (line->sock != NULL)
        zmq_socket_monitor(zsock_resolve(line->sock), NULL, 0);
    zsock_destroy(&line->monitor);
    zsock_destroy(&line->sock);
}

void link_close(struct link **link)
{
    if (*link == NULL)
        return;
    line_close(&(*link)->lane);
    line_close(&(*link)->control);
    zsock_destroy(&(*link)->status);
    arena_done(&(*link)->arena);
    buf_free(&(*link)->out);
    mem_free(*link);
    *link = NULL;
}

/* --- Making sockets. --- */

static void show_key(const struct link *link, zsock_t *sock)
{
    if (link->server[0] == '\0')
        return;
    zsock_set_curve_serverkey(sock, link->server);
    zsock_set_curve_publickey(sock, link->public);
    zsock_set_curve_secretkey(sock, link->secret);
}

/* Takes messages of at most that many bytes. */
static zsock_t *socket_new(const struct link *link, int type, int message_max)
{
    zsock_t *sock = zsock_new(type);
    assert(sock != NULL);
    zsock_set_ipv6(sock, 1);
    zsock_set_heartbeat_ivl(sock, 2000);
    zsock_set_heartbeat_timeout(sock, 6000);
    zsock_set_handshake_ivl(sock, 30000);
    zsock_set_reconnect_ivl(sock, 200);
    zsock_set_reconnect_ivl_max(sock, 10000);
    zsock_set_maxmsgsize(sock, message_max + CURVE_MORE);
    zsock_set_linger(sock, 0);
    show_key(link, sock);
    return sock;
}

static void line_listen(struct line *line, int events)
{
    static unsigned made; /* these names are the process's, not a link's */
    char name[64];
    snprintf(name, sizeof name, "inproc://line-monitor-%u", made++);
    int rc = zmq_socket_monitor(zsock_resolve(line->sock), name, events);
    assert(rc == 0);
    line->monitor = zsock_new(ZMQ_PAIR);
    assert(line->monitor != NULL);
    rc = zsock_connect(line->monitor, "%s", name);
    assert(rc == 0);
}

static void connect_to(struct link *link, zsock_t *sock, int port)
{
    if (zsock_connect(sock, "tcp://%s:%d", link->host, port) != 0)
        log_warn("connect_failed", "host=%s port=%d reason=%s",
                 log_quoted(link->host), port,
                 log_quoted(zmq_strerror(zmq_errno())));
}

static void connect_control(struct link *link, int port)
{
    char topic[MSG_TOPIC_SIZE];
    link->control.sock = socket_new(link, ZMQ_SUB, LIMIT_MESSAGE);
    zsock_set_subscribe(link->control.sock, msg_topic(link->agent, topic));
    zsock_set_subscribe(link->control.sock, msg_topic("*", topic));
    line_listen(&link->control,
                ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    connect_to(link, link->control.sock, port);
}

void link_connect(struct link *link, const char *host, int status_port,
                  int control_port)
{
    snprintf(link->host, sizeof link->host, "%s", host);
    link_drop_lane(link);
    line_close(&link->control);
    zsock_destroy(&link->status);
    connect_control(link, control_port);
    link->status = socket_new(link, ZMQ_PUB, SUBSCRIPTION_MAX);
    zsock_set_linger(link->status, 1000);
    connect_to(link, link->status, status_port);
}

void link_take_lane(struct link *link, int port)
{
    link_drop_lane(link);
    link->lane.sock = socket_new(link, ZMQ_PULL, LIMIT_MESSAGE);
    zsock_set_reconnect_ivl(link->lane.sock, -1);
    zsock_set_rcvhwm(link->lane.sock, LIMIT_SLOTS);
    line_listen(&link->lane, ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CLOSED |
                                 ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                                 ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                                 ZMQ_EVENT_HANDSHAKE_FAILED_AUTH);
    connect_to(link, link->lane.sock, port);
}

void link_drop_lane(struct link *link)
{
    line_close(&link->lane);
}

/* --- Out. --- */

void link_send(struct link *link, const struct msg *msg)
{
    char topic[MSG_TOPIC_SIZE];
    if (link->status == NULL)
        return;
    buf_clear(&link->out);
    bool fits = msg_encode(msg, &link->out);
    assert(fits);
    int n = snprintf(topic, sizeof topic, "S/%s/", link->agent);
    void *sock = zsock_resolve(link->status);
    if (zmq_send(sock, topic, (size_t)n, ZMQ_SNDMORE | ZMQ_DONTWAIT) >= 0)
        zmq_send(sock, link->out.data, link->out.len, ZMQ_DONTWAIT);
}

/* --- In. --- */

int link_items(const struct link *link, zmq_pollitem_t items[LINK_ITEMS])
{
    zsock_t *const socks[LINK_ITEMS] = {link->control.sock,
                                        link->control.monitor, link->lane.sock,
                                        link->lane.monitor};
    int n = 0;
    for (int i = 0; i < LINK_ITEMS; i++)
        if (socks[i] != NULL)
            items[n++] = (zmq_pollitem_t){.socket = zsock_resolve(socks[i]),
                                          .events = ZMQ_POLLIN};
    return n;
}

static void take_body(struct link *link, enum link_end from, zmq_msg_t *body)
{
    struct msg msg;
    char why[160];
    bool read = msg_decode(zmq_msg_data(body), zmq_msg_size(body), &link->arena,
                           &msg, why, sizeof why);
    if (read)
        link->hooks.heard(link->hooks.ctx, from, &msg);
    else
        log_warn("message_refused", "reason=%s", log_quoted(why));
    arena_reset(&link->arena);
}

/* Takes one message; its last part is the body. Returns whether there was one.
 */
static bool take_message(struct link *link, enum link_end from, zsock_t *sock)
{
    bool more = true;
    while (more) {
        zmq_msg_t part;
        zmq_msg_init(&part);
        if (zmq_msg_recv(&part, zsock_resolve(sock), ZMQ_DONTWAIT) < 0) {
            zmq_msg_close(&part);
            return false;
        }
        more = zmq_msg_more(&part) != 0;
        if (!more)
            take_body(link, from, &part);
        zmq_msg_close(&part);
    }
    return true;
}

/* A hook may close the socket, or put another in its place. */
static void take_messages(struct link *link, enum link_end from,
                          struct line *line)
{
    const zsock_t *sock = line->sock;
    for (int i = 0; i < LIMIT_DRAIN_PER_TURN; i++)
        if (sock == NULL || line->sock != sock ||
            !take_message(link, from, line->sock))
            break;
}

/* Takes one event, and returns its number; 0 when there is none. */
static int take_event(zsock_t *monitor)
{
    char bytes[256];
    uint16_t event = 0;
    int n = zmq_recv(zsock_resolve(monitor), bytes, sizeof bytes, ZMQ_DONTWAIT);
    if (n >= (int)sizeof event)
        memcpy(&event, bytes, sizeof event);
    while (n >= 0 && zsock_rcvmore(monitor))
        zmq_recv(zsock_resolve(monitor), bytes, sizeof bytes, ZMQ_DONTWAIT);
    return event;
}

static void take_events(struct link *link, enum link_end end,
                        const struct line *line)
{
    bool cut = false, refused = false;
    int event;
    while (line->monitor != NULL && (event = take_event(line->monitor)) != 0) {
        cut = true;
        refused = refused || event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    }
    if (refused)
        link->hooks.refused(link->hooks.ctx, end);
    if (cut)
        link->hooks.cut(link->hooks.ctx, end);
}

/* Messages before events: what came before a connection was closed counts. */
void link_run(struct link *link)
{
    take_messages(link, LINK_CONTROL, &link->control);
    take_messages(link, LINK_LANE, &link->lane);
    take_events(link, LINK_CONTROL, &link->control);
    take_events(link, LINK_LANE, &link->lane);
}
