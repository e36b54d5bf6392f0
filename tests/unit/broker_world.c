/* SPDX-License-Identifier: Apache-2.0
 *
 * The world behind broker_world.h. Waits are turns of the loop with a bound;
 * nothing sleeps.
 */
#include "tests/unit/broker_world.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "broker/people/call.h"
#include "broker/people/http_state.h"
#include "common/buf.h"
#include "common/mem.h"

#define PATIENCE_MS  20000 /* what has not come by then will not come */
#define SILENT_TURNS 50
#define GOT_MAX      (64 * 1024 * 1024)
#define RING         1000

struct world world;

/* The ledger. */

struct reading {
    struct range ordinals;
    size_t limit;
    store_frames_done *done;
    void *ctx;
    bool open;
};

static struct {
    uint64_t appended, committed;
    struct reading readings[64];
    size_t n_readings;
    char backup[128]; /* path of the copy under way; "" none */
    store_backup_done *backup_done;
    void *backup_ctx;
    store_file_done *file_done; /* NULL: none is under way */
    void *file_ctx;
    store_activity_done *activity_done;
    void *activity_ctx;
} ledger;

void store_note(struct store *store, const struct event *event,
                const struct activity *rows, size_t n)
{
    (void)store;
    if (event && event_keep(event->type) != EVENT_SOFT)
        ledger.appended = event->seq;
    for (size_t i = 0; i < n; i++) {
        const struct activity *row = &rows[i];
        snprintf(world.notes[world.n_notes++ % WORLD_FACTS],
                 sizeof *world.notes, "%s|%s|%s|%s|%s", row->what, row->who,
                 row->name, row->agent, row->text);
    }
}

void store_keep(struct store *store, int64_t before_ms)
{
    (void)store;
    (void)before_ms;
}

void store_activity(struct store *store, const struct activity_query *query,
                    store_activity_done *done, void *ctx)
{
    (void)store;
    assert_null(ledger.activity_done);
    world.asked = *query;
    ledger.activity_done = done;
    ledger.activity_ctx = ctx;
}

/* As many rows as there may be. */
static void answer_activity(void)
{
    store_activity_done *done = ledger.activity_done;
    struct activity rows[LIMIT_PAGE + 1];
    size_t n =
        world.asked.limit < world.n_rows ? world.asked.limit : world.n_rows;
    if (!done)
        return;
    for (size_t i = 0; i < n; i++)
        rows[i] = (struct activity){.number = (int64_t)(100 - i),
                                    .at_ms = 1000,
                                    .last_ms = 2000,
                                    .times = 3,
                                    .what = "cancelled",
                                    .who = "ann",
                                    .job = "",
                                    .name = "",
                                    .agent = "",
                                    .text = "wrong camera"};
    ledger.activity_done = NULL;
    done(ledger.activity_ctx, rows, n);
}

static void answer_reading(struct reading *reading)
{
    struct frame_fact facts[WORLD_FACTS];
    size_t n = 0;
    for (size_t i = 0; i < world.n_facts && n < reading->limit; i++)
        if (world.facts[i].ordinal >= reading->ordinals.lo &&
            world.facts[i].ordinal < reading->ordinals.hi)
            facts[n++] = world.facts[i];
    reading->open = false;
    world.reads++;
    reading->done(reading->ctx, facts, n);
}

void store_pack(struct store *store, const char *job)
{
    (void)store;
    (void)job;
}

void store_backup(struct store *store, const char *path,
                  store_backup_done *done, void *ctx)
{
    (void)store;
    assert_string_equal(ledger.backup, "");
    snprintf(ledger.backup, sizeof ledger.backup, "%s", path);
    ledger.backup_done = done;
    ledger.backup_ctx = ctx;
}

static void answer_backup(void)
{
    if (ledger.backup[0] == '\0')
        return;
    FILE *file = world.backup_reason ? NULL : fopen(ledger.backup, "wx");
    if (file) {
        fputs(WORLD_COPY, file);
        fclose(file);
    }
    ledger.backup[0] = '\0';
    world.backups++;
    ledger.backup_done(ledger.backup_ctx, file ? NULL
                                          : world.backup_reason
                                              ? world.backup_reason
                                              : "there is a file");
}

void store_file(struct store *store, const char *path, json_t *root,
                store_file_done *done, void *ctx)
{
    (void)store;
    (void)path;
    assert_null(ledger.file_done);
    json_decref(root);
    ledger.file_done = done;
    ledger.file_ctx = ctx;
}

static void answer_file(void)
{
    store_file_done *done = ledger.file_done;
    ledger.file_done = NULL;
    if (done)
        done(ledger.file_ctx, world.file_reason);
}

uint64_t store_poll(struct store *store)
{
    (void)store;
    if (world.hold)
        return ledger.committed;
    answer_backup();
    answer_file();
    answer_activity();
    size_t n = ledger.n_readings;
    for (size_t i = 0; i < n; i++)
        if (ledger.readings[i].open)
            answer_reading(&ledger.readings[i]);
    memmove(ledger.readings, ledger.readings + n,
            (ledger.n_readings - n) * sizeof *ledger.readings);
    ledger.n_readings -= n;
    return ledger.committed = ledger.appended;
}

enum store_health store_health(const struct store *store, const char **reason)
{
    (void)store;
    *reason = world.reason;
    return world.health;
}

void store_frames(struct store *store, const char *job, struct range ordinals,
                  size_t limit, store_frames_done *done, void *ctx)
{
    (void)store;
    assert_non_null(job_find(world.core, job));
    assert_true(ledger.n_readings < 64);
    ledger.readings[ledger.n_readings++] =
        (struct reading){ordinals, limit, done, ctx, true};
}

void store_forget(struct store *store, const void *ctx)
{
    (void)store;
    if (ledger.activity_ctx == ctx)
        ledger.activity_done = NULL;
    for (size_t i = 0; i < ledger.n_readings; i++)
        if (ledger.readings[i].ctx == ctx && ledger.readings[i].open) {
            ledger.readings[i].open = false;
            world.forgotten++;
        }
}

/* The feed. */

struct feed {
    struct feed_item items[RING];
    uint64_t seq, lost; /* last one; last one that left the ring */
    void (*news)(void *ctx);
    void *ctx;
    bool fresh;
};

static struct feed feed;

const struct feed_item *feed_after(const struct feed *f, uint64_t seq,
                                   bool *ret_lost)
{
    *ret_lost = seq < f->lost;
    if (seq >= f->seq)
        return NULL;
    return &f->items[(*ret_lost ? f->lost : seq) % RING];
}

/* The body of an item here is all of it. */
void feed_write(const struct feed_item *item, uint64_t epoch, struct buf *out)
{
    (void)epoch;
    buf_add(out, item->body, strlen(item->body));
}

uint64_t feed_seq(const struct feed *f)
{
    return f->seq;
}

void feed_listen(struct feed *f, void (*news)(void *ctx), void *ctx)
{
    f->news = news;
    f->ctx = ctx;
}

static void item_free(struct feed_item *item)
{
    mem_free((void *)(uintptr_t)item->topic);
    mem_free((void *)(uintptr_t)item->body);
}

void world_publish(const char *type, const char *topic, const char *json)
{
    struct feed_item *item = &feed.items[feed.seq % RING];
    assert_true(feed.seq < RING);
    *item = (struct feed_item){++feed.seq, 0, type, mem_text(topic),
                               mem_text(json)};
    feed.fresh = true;
}

void world_forget(uint64_t seq)
{
    feed.lost = seq;
}

/* The broker. */

static const struct broker_facts facts = {.http_port = 1,
                                          .status_port = 2,
                                          .control_port = 3,
                                          .feed_port = 4,
                                          .epoch = 7,
                                          .start_ms = 1000,
                                          .data_dir = world.data_dir};

const char *world_tokens;
struct keys *world_keys;

int world_setup(void **state)
{
    (void)state;
    char why[256];
    const struct core_options options = {.max_attempts = 2,
                                         .lease_ttl_ms = 15000,
                                         .orphan_grace_ms = -1,
                                         .jobs_max = 200,
                                         .agents_max = 10};
    world = (struct world){.now_ms = INT64_C(1800000000000)};
    memset(&ledger, 0, sizeof ledger);
    memset(&feed, 0, sizeof feed);
    world.core = core_new(&options);
    world.broker = broker_new(world.core, NULL, &facts);
    broker_turn(world.broker, world.now_ms);
    struct cmd restart = {.type = CMD_RESTART, .epoch = facts.epoch};
    assert_int_equal(broker_do(world.broker, &restart, NULL, 0), RC_OK);
    const struct http_options door = {
        .host = "127.0.0.1", .tokens = world_tokens, .keys = world_keys};
    world.http = http_open(world.broker, &feed, &door, why, 256);
    assert_non_null(world.http);
    return 0;
}

int world_teardown(void **state)
{
    (void)state;
    http_close(&world.http);
    broker_free(&world.broker);
    for (uint64_t i = 0; i < feed.seq; i++)
        item_free(&feed.items[i]);
    return 0;
}

void world_turn(void)
{
    broker_turn(world.broker, world.now_ms);
    broker_settle(world.broker);
    http_run(world.http, world.now_ms);
    if (feed.fresh)
        feed.news(feed.ctx);
    feed.fresh = false;
    broker_report(world.broker);
}

/* Clients. */

static int64_t monotonic_ms(void)
{
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (int64_t)at.tv_sec * 1000 + at.tv_nsec / 1000000;
}

static int dial(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port =
                                      htons((uint16_t)http_port(world.http)),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address),
                     0);
    return fd;
}

int world_send(const char *method, const char *path, const char *headers,
               const char *body)
{
    struct buf text;
    int fd = dial();
    buf_init(&text, GOT_MAX);
    buf_print(&text, "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", method, path,
              http_port(world.http), headers);
    if (body)
        buf_print(&text, "Content-Length: %zu\r\n", strlen(body));
    buf_print(&text, "\r\n%s", body ? body : "");
    assert_int_equal(send(fd, text.data, text.len, 0), (ssize_t)text.len);
    buf_free(&text);
    return fd;
}

/* Turns once; adds what has come on fd. Returns false at its end. */
static bool fetch(int fd, struct buf *in)
{
    char bytes[65536];
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    world_turn();
    if (poll(&polled, 1, 1) == 0)
        return true;
    ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n <= 0)
        return false;
    assert_true(buf_add(in, bytes, (size_t)n));
    return true;
}

/* Whether a whole answer is in: its head and the body that it announces. */
static bool is_whole(const struct buf *in)
{
    const char *end = in->data ? strstr(in->data, "\r\n\r\n") : NULL;
    if (!end)
        return false;
    const char *length = strcasestr(in->data, "\r\nContent-Length:");
    size_t body = length && length < end ? strtoul(length + 17, NULL, 10) : 0;
    return in->len >= (size_t)(end + 4 - in->data) + body;
}

static struct got take_answer(const struct buf *in)
{
    const char *end = strstr(buf_text(in), "\r\n\r\n");
    assert_non_null(end);
    size_t head = (size_t)(end + 4 - in->data);
    struct got got = {.len = in->len - head};
    got.head = strndup(in->data, head);
    got.body = strndup(end + 4, got.len);
    assert_memory_equal(in->data, "HTTP/1.1 ", 9);
    got.status = (int)strtol(in->data + 9, NULL, 10);
    return got;
}

struct got world_receive(int fd)
{
    struct buf in;
    buf_init(&in, GOT_MAX);
    int64_t until_ms = monotonic_ms() + PATIENCE_MS;
    while (!is_whole(&in) && fetch(fd, &in))
        assert_true(monotonic_ms() < until_ms);
    struct got got = take_answer(&in);
    buf_free(&in);
    close(fd);
    return got;
}

void world_silent(int fd)
{
    struct buf in;
    buf_init(&in, GOT_MAX);
    for (int i = 0; i < SILENT_TURNS; i++)
        assert_true(fetch(fd, &in));
    assert_int_equal(in.len, 0);
    buf_free(&in);
}

static size_t count_calls(void)
{
    size_t n = 0;
    const struct call *call;
    DL_FOREACH (world.http->calls, call)
        n++;
    return n;
}

void world_leave(int fd, size_t left)
{
    const struct linger reset = {.l_onoff = 1, .l_linger = 0};
    int64_t until_ms = monotonic_ms() + PATIENCE_MS;
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    close(fd);
    while (count_calls() > left) {
        world_turn();
        assert_true(monotonic_ms() < until_ms);
    }
}

char *world_read(int fd, const char *text)
{
    struct buf in;
    buf_init(&in, GOT_MAX);
    int64_t until_ms = monotonic_ms() + PATIENCE_MS;
    while (!strstr(buf_text(&in), text)) {
        assert_true(fetch(fd, &in));
        assert_true(monotonic_ms() < until_ms);
    }
    return buf_take(&in);
}

struct got world_ask(const char *method, const char *path, const char *headers,
                     const char *body)
{
    return world_receive(world_send(method, path, headers, body));
}

void got_free(struct got *got)
{
    free(got->head);
    free(got->body);
    *got = (struct got){0};
}

const char *got_header(const struct got *got, const char *name)
{
    static char value[2048];
    char line[128];
    snprintf(line, sizeof line, "\r\n%s: ", name);
    const char *at = strcasestr(got->head, line);
    if (!at)
        return NULL;
    at += strlen(line);
    snprintf(value, sizeof value, "%.*s", (int)strcspn(at, "\r"), at);
    return value;
}

json_t *world_json(const char *method, const char *path, const char *body,
                   int status)
{
    struct got got = world_ask(method, path, "", body);
    if (got.status != status)
        print_error("%s %s: %s%s\n", method, path, got.head, got.body);
    assert_int_equal(got.status, status);
    json_t *json = json_loads(got.body, 0, NULL);
    assert_non_null(json);
    got_free(&got);
    return json;
}

const char *world_submit(const char *body)
{
    static char id[LIMIT_ID + 1];
    json_t *job = world_json("POST", "/v1/jobs", body, 202);
    snprintf(id, sizeof id, "%s",
             json_string_value(json_object_get(job, "id")));
    json_decref(job);
    return id;
}

/* Agents. */

static struct msg_state state_of(const char *name)
{
    static uint64_t seq;
    const struct agent *agent = agent_find(world.core, name);
    return (struct msg_state){.agent = name,
                              .inc = 1,
                              .seq = ++seq,
                              .epoch = facts.epoch,
                              .lane = agent ? agent->lane : 0,
                              .dseq = agent ? agent->lane_sent : 0,
                              .slots = 1,
                              .why = "",
                              .version = "0.1.0",
                              .node = {.up = true,
                                       .cores = 8,
                                       .memory_mb = 1000,
                                       .name = "n",
                                       .version = "0.1.0",
                                       .blender = "3.4.1",
                                       .device = "cpu",
                                       .error = ""}};
}

static void say(const struct msg_state *state)
{
    struct cmd cmd = {.type = CMD_STATE, .state = state};
    broker_turn(world.broker, world.now_ms);
    broker_settle(world.broker);
    assert_int_equal(broker_do(world.broker, &cmd, NULL, 0), RC_OK);
    broker_report(world.broker);
    world_turn();
}

void world_agent(const char *name)
{
    for (int i = 0; i < 2; i++) {
        struct msg_state state = state_of(name);
        say(&state);
    }
}

static const struct lease *lease_of(const char *name)
{
    const struct agent *agent = agent_find(world.core, name);
    assert_non_null(agent);
    assert_non_null(agent->leases);
    return agent->leases;
}

/* The lease as its agent lists it. */
static struct msg_lease entry_of(const struct lease *lease)
{
    const struct frames *frames = &lease->job->frames;
    return (struct msg_lease){.lease = lease->id,
                              .job = lease->job->id,
                              .from = frames_number(frames, lease->lo),
                              .to = frames_number(frames, lease->hi - 1),
                              .step = frames_run(frames, lease->lo)->step,
                              .status = LEASE_RUNNING,
                              .frame = -1,
                              .blamed = -1,
                              .text = ""};
}

static void say_lease(const char *name, struct msg_lease *entry)
{
    struct msg_state state = state_of(name);
    state.leases = entry;
    state.n_leases = 1;
    say(&state);
}

void world_finish(const char *name, int n)
{
    struct msg_result results[16];
    const struct lease *lease = lease_of(name);
    struct msg_lease entry = entry_of(lease);
    int32_t first = lease->left.at[0].lo;
    bool last = n == lease->left.count;
    assert_true(n <= 16 && n <= lease->left.count);
    for (int i = 0; i < n; i++)
        results[i] = (struct msg_result){
            frames_number(&lease->job->frames, first + i), 1500, ""};
    entry.results = results;
    entry.n_results = (size_t)n;
    entry.frame = last ? -1 : frames_number(&lease->job->frames, first + n);
    entry.permille = last ? 0 : 250;
    entry.status = last ? LEASE_DONE : LEASE_RUNNING;
    say_lease(name, &entry);
}

void world_fail(const char *name, enum fault fault, const char *text)
{
    struct msg_lease entry = entry_of(lease_of(name));
    entry.status = LEASE_FAILED;
    entry.fault = (int32_t)fault;
    entry.text = text;
    entry.blamed = entry.from;
    say_lease(name, &entry);
}
