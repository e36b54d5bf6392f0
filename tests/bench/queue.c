/* SPDX-License-Identifier: Apache-2.0
 *
 * A job's payload begins with when it was put. Requests are written blocking:
 * they are small and the queue reads at once.
 */
#include "tests/bench/queue.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/app/log.h"
#include "common/mem.h"
#include "tests/bench/talk.h"

#define ANSWERS_MAX (1024 * 1024)

enum role { ROLE_PUT, ROLE_TAKE, ROLE_ACK };

struct line {
    int fd;
    size_t worker;
    enum role role;   /* what was asked for */
    int64_t asked_us; /* the last put */
    struct buf in;
    struct slip slip;
};

struct queue {
    const struct dialect *dialect;
    struct line *lines; /* the first puts */
    struct pollfd *items;
    size_t n;
    bool put_only;
    struct buf out;
    int64_t put, granted, acked;  /* jobs; granted: puts answered */
    bool refill;                  /* an acknowledgement allows a put */
    struct figures *puts, *takes; /* NULL: not measured */
};

static void flush(struct queue *queue, struct line *line)
{
    const struct buf *out = &queue->out;
    if (write(line->fd, out->data, out->len) != (ssize_t)out->len)
        log_fatal(1, "cannot write to the peer: %s", strerror(errno));
    buf_clear(&queue->out);
}

static void ask_put(struct queue *queue, struct line *line)
{
    char payload[DIALECT_PAYLOAD];
    line->role = ROLE_PUT;
    line->asked_us = now_us();
    memset(payload, '.', sizeof payload);
    payload[snprintf(payload, sizeof payload, "%" PRId64, line->asked_us)] =
        ' ';
    queue->dialect->put(payload, &queue->out);
    queue->put++;
    flush(queue, line);
}

static void ask_take(struct queue *queue, struct line *line)
{
    line->role = ROLE_TAKE;
    queue->dialect->take(line->worker, &queue->out);
    flush(queue, line);
}

static void ask_ack(struct queue *queue, struct line *line)
{
    line->role = ROLE_ACK;
    queue->dialect->ack(line->worker, &line->slip, &queue->out);
    flush(queue, line);
}

static void put_done(struct queue *queue, struct line *line)
{
    queue->granted++;
    if (queue->puts != NULL)
        figures_add(queue->puts, now_us() - line->asked_us);
    if (queue->put_only && queue->refill)
        ask_put(queue, line);
}

static void take_done(struct queue *queue, struct line *line)
{
    if (queue->takes != NULL)
        figures_add(queue->takes,
                    now_us() - strtoll(line->slip.payload, NULL, 10));
    ask_ack(queue, line);
}

static void ack_done(struct queue *queue, struct line *line)
{
    queue->acked++;
    if (queue->refill)
        ask_put(queue, &queue->lines[0]);
    ask_take(queue, line);
}

static void take_answers(struct queue *queue, struct line *line)
{
    static void (*const next[])(struct queue *, struct line *) = {
        put_done, take_done, ack_done};
    ssize_t used;
    while ((used = queue->dialect->answer(buf_text(&line->in), line->in.len,
                                          &line->slip)) > 0) {
        buf_drop(&line->in, (size_t)used);
        next[line->role](queue, line);
    }
    if (used < 0)
        log_fatal(1, "the peer says: %.60s", buf_text(&line->in));
}

static void read_line(struct queue *queue, struct line *line)
{
    char block[16384];
    ssize_t n = recv(line->fd, block, sizeof block, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        log_fatal(1, "the peer closed a connection");
    buf_add(&line->in, block, (size_t)n);
    take_answers(queue, line);
}

static void turn(struct queue *queue, int wait_ms)
{
    poll(queue->items, queue->n, wait_ms);
    for (size_t i = 0; i < queue->n; i++)
        if (queue->items[i].revents != 0)
            read_line(queue, &queue->lines[i]);
}

struct queue *queue_open(const struct dialect *dialect, int port, size_t n,
                         bool put_only)
{
    struct queue *queue = mem_new(sizeof *queue);
    queue->dialect = dialect;
    queue->n = put_only ? n : n + 1;
    queue->put_only = put_only;
    queue->lines = mem_new(queue->n * sizeof *queue->lines);
    queue->items = mem_new(queue->n * sizeof *queue->items);
    buf_init(&queue->out, ANSWERS_MAX);
    for (size_t i = 0; i < queue->n; i++) {
        struct line *line = &queue->lines[i];
        *line = (struct line){.fd = talk_dial(port), .worker = i};
        if (line->fd < 0)
            log_fatal(1, "cannot connect to the peer: %s", strerror(errno));
        buf_init(&line->in, ANSWERS_MAX);
        queue->items[i] = (struct pollfd){.fd = line->fd, .events = POLLIN};
        if (!put_only && i > 0)
            ask_take(queue, line);
    }
    return queue;
}

void queue_close(struct queue **queue_ref)
{
    struct queue *queue = *queue_ref;
    for (size_t i = 0; i < queue->n; i++) {
        close(queue->lines[i].fd);
        buf_free(&queue->lines[i].in);
    }
    buf_free(&queue->out);
    mem_free(queue->lines);
    mem_free(queue->items);
    mem_free(queue);
    *queue_ref = NULL;
}

static int64_t done(const struct queue *queue)
{
    return queue->put_only ? queue->granted : queue->acked;
}

void queue_run(struct queue *queue, struct stint *stint, struct figures *waits)
{
    size_t ahead = queue->put_only ? queue->n : queue->n + QUEUE_AHEAD;
    int64_t before = done(queue);
    queue->puts = waits;
    queue->refill = true;
    stint_begin(stint);
    for (size_t i = 0; i < ahead; i++)
        ask_put(queue, &queue->lines[queue->put_only ? i : 0]);
    while (!stint_over(stint, done(queue) - before))
        turn(queue, 100);
    queue->refill = false;
    queue->puts = NULL;
}

void queue_pace(struct queue *queue, int64_t n, int64_t per_s,
                struct figures *waits)
{
    while (queue->acked < queue->put)
        turn(queue, 100);
    queue->takes = waits;
    int64_t from_us = now_us(), put = 0;
    while (queue->acked < queue->put || put < n) {
        int64_t left_us = from_us + put * SECOND_US / per_s - now_us();
        if (put < n && left_us <= 0) {
            ask_put(queue, &queue->lines[0]);
            put++;
        } else {
            turn(queue, put < n ? (int)(left_us / 1000) : 100);
        }
    }
    queue->takes = NULL;
}
