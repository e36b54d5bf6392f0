/* SPDX-License-Identifier: Apache-2.0
 *
 * A stream asks by HTTP/1.0, so that its body is the events and nothing else.
 * Of an event only its number is read: the line "id: <epoch>:<seq>" of SSE, the
 * member "seq" of the feed's map.
 */
#include "tests/bench/audience.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <zmq.h>

#include "common/app/log.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/unpack.h"
#include "tests/bench/talk.h"

#define EVENT_MAX   (1024 * 1024)
#define STALL_BYTES 4096 /* of a stalled reader's socket */
#define ASK         "GET /v1/events HTTP/1.0\r\nHost: localhost\r\n\r\n"

struct reader {
    int fd;        /* a stream's; -1 */
    void *sock;    /* a subscriber's; NULL */
    struct buf in; /* of a stream: what has no line end yet */
    uint64_t seq;  /* of the last event; 0 none */
    size_t bytes;
    bool reset; /* told since the last event */
};

struct audience {
    void *context;
    int feed_port, http_port;
    struct reader *readers;
    zmq_pollitem_t *items;
    size_t n, streams;
    struct reader stalled[2];
    size_t n_stalled;
    struct reception *reception; /* NULL: nothing is measured */
};

static void open_stream(struct reader *reader, int port, int bytes)
{
    *reader = (struct reader){.fd = talk_dial(port)};
    buf_init(&reader->in, EVENT_MAX);
    if (reader->fd < 0 ||
        write(reader->fd, ASK, strlen(ASK)) != (ssize_t)strlen(ASK))
        log_fatal(1, "cannot open a stream: %s", strerror(errno));
    if (bytes > 0)
        setsockopt(reader->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

static void open_subscriber(const struct audience *audience,
                            struct reader *reader, int held)
{
    char address[64];
    *reader = (struct reader){.fd = -1,
                              .sock = zmq_socket(audience->context, ZMQ_SUB)};
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d",
             audience->feed_port);
    zmq_setsockopt(reader->sock, ZMQ_RCVHWM, &held, sizeof held);
    zmq_setsockopt(reader->sock, ZMQ_SUBSCRIBE, "", 0);
    if (zmq_connect(reader->sock, address) != 0)
        log_fatal(1, "cannot subscribe: %s", zmq_strerror(zmq_errno()));
}

struct audience *audience_new(const struct host *host,
                              const struct audience_size *size)
{
    struct audience *audience = mem_new(sizeof *audience);
    audience->context = zmq_ctx_new();
    zmq_ctx_set(audience->context, ZMQ_MAX_SOCKETS,
                (int)size->subscribers + 16);
    audience->feed_port = host->feed_port;
    audience->http_port = host->http_port;
    audience->streams = size->streams;
    audience->n = size->streams + size->subscribers;
    audience->readers = mem_new(audience->n * sizeof *audience->readers);
    audience->items = mem_new(audience->n * sizeof *audience->items);
    for (size_t i = 0; i < audience->n; i++) {
        struct reader *reader = &audience->readers[i];
        if (i < size->streams)
            open_stream(reader, audience->http_port, 0);
        else
            open_subscriber(audience, reader, 0);
        audience->items[i] =
            (zmq_pollitem_t){reader->sock, reader->fd, ZMQ_POLLIN, 0};
    }
    return audience;
}

static void reader_close(struct reader *reader)
{
    int none = 0;
    if (reader->sock) {
        zmq_setsockopt(reader->sock, ZMQ_LINGER, &none, sizeof none);
        zmq_close(reader->sock);
    } else {
        close(reader->fd);
    }
    buf_free(&reader->in);
}

void audience_free(struct audience **audience_ref)
{
    struct audience *audience = *audience_ref;
    for (size_t i = 0; i < audience->n; i++)
        reader_close(&audience->readers[i]);
    for (size_t i = 0; i < audience->n_stalled; i++)
        reader_close(&audience->stalled[i]);
    zmq_ctx_term(audience->context);
    mem_free(audience->readers);
    mem_free(audience->items);
    mem_free(audience);
    *audience_ref = NULL;
}

void audience_stall(struct audience *audience)
{
    open_stream(&audience->stalled[0], audience->http_port, STALL_BYTES);
    open_subscriber(audience, &audience->stalled[1], 1);
    audience->n_stalled = 2;
}

void audience_begin(struct audience *audience, struct reception *reception)
{
    audience->reception = reception;
}

static void measure(const struct audience *audience, bool stream, uint64_t seq)
{
    struct reception *to = audience->reception;
    if (!to || seq < to->first || seq - to->first >= to->n)
        return;
    int64_t wait = now_us() - to->sent_us[seq - to->first];
    figures_add(stream ? &to->stream_waits : &to->subscriber_waits, wait);
    to->delivered++;
}

/* A stream is told by a reset; a subscriber by the gap itself, as the protocol
 * has it. */
static void take_event(const struct audience *audience, struct reader *reader,
                       uint64_t seq)
{
    bool stream = reader->sock == NULL;
    bool gap = reader->seq > 0 && seq != reader->seq + 1;
    if (gap && audience->reception && stream && !reader->reset)
        audience->reception->lost++;
    else if (gap && audience->reception)
        audience->reception->told++;
    reader->reset = false;
    reader->seq = seq;
    measure(audience, stream, seq);
}

/* A comment with an id is a heartbeat: it names an event that came. */
static void take_line(const struct audience *audience, struct reader *reader,
                      const char *line)
{
    const char *colon;
    if (strncmp(line, "HTTP/1", 6) == 0 && strstr(line, " 200 ") == NULL)
        log_fatal(1, "no stream: %s", line);
    if (strncmp(line, "event: reset", 12) == 0)
        reader->reset = true;
    if (strncmp(line, "id: ", 4) != 0 || !(colon = strchr(line + 4, ':')))
        return;
    uint64_t seq = strtoull(colon + 1, NULL, 10);
    if (seq > reader->seq)
        take_event(audience, reader, seq);
}

static void take_lines(const struct audience *audience, struct reader *reader)
{
    char *from = reader->in.data, *end;
    while ((end = memchr(from, '\n',
                         (size_t)(reader->in.data + reader->in.len - from)))) {
        *end = '\0';
        take_line(audience, reader, from);
        from = end + 1;
    }
    size_t left = (size_t)(reader->in.data + reader->in.len - from);
    memmove(reader->in.data, from, left);
    reader->in.len = left;
    reader->in.data[left] = '\0';
}

static void read_stream(const struct audience *audience, struct reader *reader)
{
    char block[65536];
    ssize_t n = recv(reader->fd, block, sizeof block, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        log_fatal(1, "the broker ended a stream");
    reader->bytes += (size_t)n;
    buf_add(&reader->in, block, (size_t)n);
    take_lines(audience, reader);
}

/* The number of an event in its map; 0: none. */
static uint64_t seq_of(const void *bytes, size_t len)
{
    static const char key[] = "\xa3seq";
    uint64_t seq = 0;
    const char *at = memmem(bytes, len, key, sizeof key - 1);
    if (at) {
        at += sizeof key - 1;
        size_t rest = len - (size_t)(at - (const char *)bytes);
        struct unpack in = unpack_of(at, rest);
        (void)unpack_u64(&in, &seq);
    }
    return seq;
}

static void read_subscriber(const struct audience *audience,
                            struct reader *reader)
{
    zmq_msg_t part;
    zmq_msg_init(&part);
    while (zmq_msg_recv(&part, reader->sock, ZMQ_DONTWAIT) >= 0) {
        reader->bytes += zmq_msg_size(&part);
        if (!zmq_msg_more(&part))
            take_event(audience, reader,
                       seq_of(zmq_msg_data(&part), zmq_msg_size(&part)));
    }
    zmq_msg_close(&part);
}

void audience_turn(struct audience *audience, int64_t until_us)
{
    do {
        int64_t left_us = until_us - now_us();
        long wait_ms = left_us > 0 ? (long)(left_us / 1000) : 0;
        zmq_poll(audience->items, (int)audience->n, wait_ms);
        for (size_t i = 0; i < audience->n; i++) {
            if (!(audience->items[i].revents & ZMQ_POLLIN))
                continue;
            if (i < audience->streams)
                read_stream(audience, &audience->readers[i]);
            else
                read_subscriber(audience, &audience->readers[i]);
        }
    } while (now_us() < until_us);
}

uint64_t audience_least(const struct audience *audience)
{
    uint64_t least = audience->n > 0 ? UINT64_MAX : 0;
    for (size_t i = 0; i < audience->n; i++)
        if (audience->readers[i].seq < least)
            least = audience->readers[i].seq;
    return least;
}

size_t audience_bytes(const struct audience *audience)
{
    return audience->streams > 0 ? audience->readers[0].bytes : 0;
}
