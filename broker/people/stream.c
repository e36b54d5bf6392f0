/* SPDX-License-Identifier: Apache-2.0
 *
 * An event's text is made once and given to all streams that want it. A stream
 * with too much unsent lags: it gets no more until its reader has taken some,
 * then goes on from the ring, or with a reset where the ring has moved on. One
 * that takes nothing from one heartbeat to the next is ended.
 */
#include "broker/people/stream.h"

#include <inttypes.h>
#include <string.h>

#include "common/mem.h"

#define TEXT_MAX (1024 * 1024) /* one event; the feed's are far smaller */

struct stream {
    struct call *call;
    char *topics;     /* NULL: all */
    uint64_t seq;     /* last event it was given, or did not want */
    bool lags;        /* has not got all there is */
    uint64_t beat_at; /* seq at the last heartbeat, while it lags */
    bool ending;
    struct stream *prev, *next;
};

/* Whether topics (a list with commas) has the word made of head and tail. */
static bool topics_have(const char *topics, const char *head, const char *tail,
                        size_t tail_len)
{
    size_t head_len = strlen(head);
    for (const char *at = topics;; at++) {
        size_t len = strcspn(at, ",");
        if (len == head_len + tail_len && memcmp(at, head, head_len) == 0 &&
            memcmp(at + head_len, tail, tail_len) == 0)
            return true;
        at += len;
        if (*at == '\0')
            return false;
    }
}

bool stream_topics_check(const char *topics)
{
    for (const char *at = topics;; at++) {
        size_t len = strcspn(at, ",");
        bool job = strncmp(at, "job:", 4) == 0 && len > 4;
        bool word = (len == 4 && memcmp(at, "jobs", 4) == 0) ||
                    (len == 6 && memcmp(at, "agents", 6) == 0);
        if (!job && !word)
            return false;
        at += len;
        if (*at == '\0')
            return true;
    }
}

/* "jobs" are the jobs' own events; "job:<id>" is all that one job does. */
static bool stream_wants(const struct stream *stream,
                         const struct feed_item *item)
{
    const char *topics = stream->topics, *topic = item->topic;
    if (!topics)
        return true;
    if (strncmp(topic, "agent/", 6) == 0)
        return topics_have(topics, "agents", "", 0);
    if (strncmp(topic, "job/", 4) != 0)
        return false;
    if (strcmp(item->type, "job") == 0 && topics_have(topics, "jobs", "", 0))
        return true;
    return topics_have(topics, "job:", topic + 4, strcspn(topic + 4, "/"));
}

static void stream_stop(struct stream *stream)
{
    stream->ending = true;
    stream->call->http->stirred = true;
    httpd_stream_end(stream->call->in);
}

static bool stream_send(struct stream *stream, const struct buf *text)
{
    struct call *call = stream->call;
    bool sent = httpd_stream_send(call->in, buf_text(text), text->len,
                                  LIMIT_SSE_BEHIND);
    call->http->stirred = call->http->stirred || sent;
    return sent;
}

static uint64_t epoch_of(const struct http *http)
{
    return broker_facts(http->broker)->epoch;
}

static void write_item(const struct http *http, const struct feed_item *item,
                       struct buf *out)
{
    buf_clear(out);
    buf_print(out,
              "id: %" PRIu64 ":%" PRIu64 "\nevent: %s\ndata: ", epoch_of(http),
              item->seq, item->type);
    feed_write(item, epoch_of(http), out);
    buf_add(out, "\n\n", 2);
}

/* Tells a reader that events are missing, and where the stream goes on. */
static bool stream_reset(struct stream *stream, uint64_t seq)
{
    struct buf text;
    uint64_t epoch = epoch_of(stream->call->http);
    buf_init(&text, TEXT_MAX);
    buf_print(&text,
              "id: %" PRIu64 ":%" PRIu64 "\nevent: reset\n"
              "data: {\"id\":\"%" PRIu64 ":%" PRIu64 "\"}\n\n",
              epoch, seq, epoch, seq);
    bool sent = stream_send(stream, &text);
    buf_free(&text);
    if (sent)
        stream->seq = seq;
    return sent;
}

/* Gives a stream one event. Returns false, and nothing, when it lags. */
static bool stream_give(struct stream *stream, const struct feed_item *item,
                        const struct buf *text)
{
    if (stream_wants(stream, item) && !stream_send(stream, text))
        return false;
    stream->seq = item->seq;
    return true;
}

/* Gives a stream what the ring has for it, as far as there is room. */
static void stream_pump(struct stream *stream)
{
    struct http *http = stream->call->http;
    struct buf text;
    bool lost = false, room = true;
    const struct feed_item *item = feed_after(http->feed, stream->seq, &lost);
    if (lost) {
        room = stream_reset(stream, feed_seq(http->feed));
        item = NULL;
    }
    buf_init(&text, TEXT_MAX);
    while (room && item) {
        write_item(http, item, &text);
        room = stream_give(stream, item, &text);
        item = feed_after(http->feed, stream->seq, &lost);
    }
    buf_free(&text);
    stream->lags = !room;
}

static void leave_stream(struct call *call)
{
    struct stream *stream = call->work;
    struct http *http = call->http;
    DL_DELETE(http->streams, stream);
    http->n_streams--;
    mem_free(stream->topics);
    mem_free(stream);
}

static struct stream *stream_new(struct call *call, const char *topics)
{
    struct http *http = call->http;
    struct stream *stream = mem_new(sizeof *stream);
    stream->call = call;
    stream->topics = mem_text(topics);
    DL_APPEND(http->streams, stream);
    http->n_streams++;
    http->n_open--;
    call->stage = CALL_STREAM;
    call_park(call, stream, leave_stream, NULL);
    return stream;
}

/* The first id lets a reader that has seen nothing yet resume from here. */
static void stream_greet(struct stream *stream, uint64_t seq)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    buf_print(&text, "retry: 2000\nid: %" PRIu64 ":%" PRIu64 "\n\n",
              epoch_of(stream->call->http), seq);
    stream->seq = seq;
    stream_send(stream, &text);
    buf_free(&text);
}

void stream_begin(struct call *call, const char *topics, uint64_t seq,
                  bool reset)
{
    static const char *const headers[] = {"Cache-Control",
                                          "no-store",
                                          "X-Accel-Buffering",
                                          "no",
                                          "X-Content-Type-Options",
                                          "nosniff",
                                          NULL};
    meter_request(&call->http->meter, call->route, 200, 0);
    httpd_stream(call->in, "text/event-stream", headers);
    struct stream *stream = stream_new(call, topics);
    stream_greet(stream, seq);
    if (reset)
        stream_reset(stream, seq);
    stream_pump(stream);
}

static void give_all(struct http *http, const struct feed_item *item,
                     struct buf *text)
{
    struct stream *stream;
    if (http->streams)
        write_item(http, item, text);
    DL_FOREACH (http->streams, stream)
        if (!stream->lags && !stream->ending && stream->seq < item->seq)
            stream->lags = !stream_give(stream, item, text);
}

/* The ring outran the turn: every stream that had all lags now. */
static void lag_all(struct http *http)
{
    struct stream *stream;
    DL_FOREACH (http->streams, stream)
        stream->lags = true;
    http->fed = feed_seq(http->feed);
}

void stream_news(struct http *http)
{
    struct buf text;
    bool lost = false;
    const struct feed_item *item = feed_after(http->feed, http->fed, &lost);
    if (lost) {
        lag_all(http);
        return;
    }
    buf_init(&text, TEXT_MAX);
    for (; item; item = feed_after(http->feed, http->fed, &lost)) {
        give_all(http, item, &text);
        http->fed = item->seq;
    }
    buf_free(&text);
}

void stream_resume(struct http *http)
{
    struct stream *stream;
    DL_FOREACH (http->streams, stream)
        if (stream->lags && !stream->ending)
            stream_pump(stream);
}

/* The id moves a reader on past events it did not want. */
static void stream_beat(struct stream *stream)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    buf_print(&text, ": beat\nid: %" PRIu64 ":%" PRIu64 "\n\n",
              epoch_of(stream->call->http), stream->seq);
    stream_send(stream, &text);
    buf_free(&text);
}

void stream_beat_all(struct http *http, int64_t now_ms)
{
    struct stream *stream;
    if (now_ms < http->beat_ms)
        return;
    http->beat_ms = now_ms + STREAM_BEAT_MS;
    DL_FOREACH (http->streams, stream) {
        if (stream->ending)
            continue;
        if (!stream->lags)
            stream_beat(stream);
        else if (stream->beat_at == stream->seq)
            stream_stop(stream);
        stream->beat_at = stream->seq;
    }
}

/* Where there is no room the end alone has to do. */
static void stream_end(struct stream *stream, const char *why)
{
    struct buf text;
    if (stream->ending)
        return;
    buf_init(&text, TEXT_MAX);
    buf_print(&text, ": %s\n\n", why);
    (void)stream_send(stream, &text);
    buf_free(&text);
    stream_stop(stream);
}

void stream_end_due(struct http *http, int64_t now_ms)
{
    struct stream *stream;
    DL_FOREACH (http->streams, stream)
        if (stream->call->ends_ms <= now_ms)
            stream_end(stream, "the session is over; sign in again");
}

void stream_end_all(struct http *http, const char *why)
{
    struct stream *stream;
    DL_FOREACH (http->streams, stream)
        stream_end(stream, why);
}
