/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-bench feed: the same few events a second with nobody looking, with a
 * crowd of readers, and with two more that take nothing, their buffers full. A
 * paused job whose priority changes makes one event each time.
 */
#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/conf.h"
#include "common/app/log.h"
#include "common/limits.h"
#include "common/mem.h"
#include "tests/bench/audience.h"
#include "tests/bench/bench.h"
#include "tests/bench/talk.h"

#define FLOODERS 256
#define KNOCK_US (SECOND_US / 20)

static const char *is_streams(const char *value)
{
    const char *reason = conf_is_count(value);
    if (reason == NULL && strtol(value, NULL, 10) >= LIMIT_SSE)
        reason = "as many streams as a broker takes, or more";
    return reason;
}

static const struct setting settings[] = {
    {.name = "streams",
     .argument = "N",
     .fallback = "500",
     .help = "SSE clients",
     .check = is_streams},
    {.name = "subscribers",
     .argument = "N",
     .fallback = "100",
     .help = "ZeroMQ subscribers",
     .check = conf_is_count},
    {.name = "events",
     .argument = "N",
     .fallback = "10",
     .help = "Events a second, each of which all of them get",
     .check = conf_is_count},
    {.name = "seconds",
     .argument = "N",
     .fallback = "5",
     .help = "Length of each of the three measurements",
     .check = conf_is_count},
    /* More than the kernel keeps for a reader (4 MiB at most), and what the
     * broker does (LIMIT_SSE_BEHIND). */
    {.name = "flood",
     .argument = "MIB",
     .fallback = "5",
     .help = "Events, in MiB, that come before the last measurement, so that "
             "the buffers of who takes nothing are full",
     .check = conf_is_count},
    BENCH_SETTING_DIR,
    BENCH_SETTING_JSON,
};

static const struct conf_program program = {
    .name = "frameq-bench feed",
    .usage = "",
    .about = "Measures what readers of the feed cost, and how soon they have "
             "an event: from the request that makes it, on disk, to its "
             "receipt. Once with all reading, once with a stream and a "
             "subscriber beside them that take nothing.",
    .epilog = "  frameq-bench feed --streams 500 --subscribers 100 --json\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

struct plan {
    struct audience_size size;
    size_t events, seconds; /* events a second */
    size_t flood;           /* bytes */
    const char *dir;
};

/* One measurement. */
struct phase {
    struct reception reception;
    double core; /* parts of a processor core that the broker used */
};

struct bench {
    const struct plan *plan;
    struct host host;
    struct talk talk;
    char job[LIMIT_ID + 1];
    int priority;
    struct audience *audience; /* NULL: nobody looks yet */
};

/* A member of the answer that is a text; ends the program where it is none. */
static void member(const struct talk *talk, const char *name, char *ret,
                   size_t size)
{
    json_t *body = json_loads(talk_body(talk), 0, NULL);
    const char *text = json_string_value(json_object_get(body, name));
    if (text == NULL)
        log_fatal(1, "no %s in: %s", name, talk_body(talk));
    snprintf(ret, size, "%s", text);
    json_decref(body);
}

static uint64_t last_seq(struct bench *bench)
{
    char seq[48];
    talk_request(&bench->talk, "GET", "/v1/farm", NULL);
    member(&bench->talk, "seq", seq, sizeof seq);
    return strtoull(strchr(seq, ':') + 1, NULL, 10);
}

static void look(struct bench *bench, int64_t until_us)
{
    if (bench->audience)
        audience_turn(bench->audience, until_us);
}

/* Makes one event, while everybody reads. */
static void make_event(struct bench *bench)
{
    char path[128], body[32];
    int status = 0;
    bench->priority = bench->priority == 50 ? 51 : 50;
    snprintf(path, sizeof path, "/v1/jobs/%s", bench->job);
    snprintf(body, sizeof body, "{\"priority\":%d}", bench->priority);
    talk_send(&bench->talk, "PATCH", path, body);
    while (status == 0) {
        look(bench, now_us());
        status = talk_take(&bench->talk);
    }
    if (status != 200)
        log_fatal(1, "an event was refused: %s", talk_body(&bench->talk));
}

/* Waits until all readers have all there is. */
static void catch_up(struct bench *bench, uint64_t seq)
{
    int64_t deadline_us = now_us() + (int64_t)60 * SECOND_US;
    while (audience_least(bench->audience) < seq && now_us() < deadline_us)
        look(bench, now_us() + SECOND_US / 100);
    if (audience_least(bench->audience) < seq)
        log_fatal(1, "a reader is at event %" PRIu64 " of %" PRIu64,
                  audience_least(bench->audience), seq);
}

static void run_phase(struct bench *bench, struct phase *phase)
{
    const struct plan *plan = bench->plan;
    size_t n = plan->events * plan->seconds;
    int64_t *sent_us = mem_new(n * sizeof *sent_us);
    phase->reception.first = last_seq(bench) + 1;
    phase->reception.sent_us = sent_us;
    phase->reception.n = n;
    if (bench->audience)
        audience_begin(bench->audience, &phase->reception);
    int64_t cpu_us = child_cpu_us(&bench->host.child);
    int64_t from_us = now_us();
    for (size_t i = 0; i < n; i++) {
        int64_t due_us = from_us + (int64_t)(i * SECOND_US / plan->events);
        while (now_us() < due_us && bench->audience)
            look(bench, due_us);
        while (now_us() < due_us)
            poll(NULL, 0, (int)((due_us - now_us()) / 1000 + 1));
        sent_us[i] = now_us();
        make_event(bench);
    }
    if (bench->audience)
        catch_up(bench, phase->reception.first + n - 1);
    cpu_us = child_cpu_us(&bench->host.child) - cpu_us;
    phase->core = (double)cpu_us / (double)(now_us() - from_us);
    if (bench->audience)
        audience_begin(bench->audience, NULL);
    mem_free(sent_us);
    phase->reception.sent_us = NULL;
}

/* Who subscribes is known to be heard by an event that it gets. */
static void gather(struct bench *bench)
{
    bench->audience = audience_new(&bench->host, &bench->plan->size);
    while (audience_least(bench->audience) == 0) {
        make_event(bench);
        look(bench, now_us() + KNOCK_US);
    }
    catch_up(bench, last_seq(bench));
}

/* Jobs whose frames are cancelled and wanted again, many at once, until the
 * buffers of who takes nothing are full. None ends: the ledger would go on with
 * packing it while the next phase is measured. */
struct flooder {
    struct talk talk;
    char job[LIMIT_ID + 1]; /* "" until it is there */
    bool cancelled;
};

/* "1,3,5...": ranges that an event names one by one. */
static const char *odd_frames(void)
{
    static char body[1024];
    size_t n = (size_t)snprintf(body, sizeof body, "{\"frames\":\"1");
    for (int frame = 3; frame < 200; frame += 2)
        n += (size_t)snprintf(body + n, sizeof body - n, ",%d", frame);
    snprintf(body + n, sizeof body - n, "\"}");
    return body;
}

static void flood_begin(struct flooder *flooder, int port)
{
    *flooder = (struct flooder){.cancelled = true};
    talk_open(&flooder->talk, port);
    talk_send(&flooder->talk, "POST", "/v1/jobs",
              "{\"from\":1,\"to\":200,\"paused\":true}");
}

static void flood_on(struct flooder *flooder, const char *body)
{
    char path[128];
    if (flooder->job[0] == '\0')
        member(&flooder->talk, "id", flooder->job, sizeof flooder->job);
    flooder->cancelled = !flooder->cancelled;
    snprintf(path, sizeof path, "/v1/jobs/%s/frames:%s", flooder->job,
             flooder->cancelled ? "retry" : "cancel");
    talk_send(&flooder->talk, "POST", path, body);
}

static void flood(struct bench *bench)
{
    struct flooder flooders[FLOODERS];
    size_t until = audience_bytes(bench->audience) + bench->plan->flood;
    const char *body = odd_frames();
    for (size_t i = 0; i < FLOODERS; i++)
        flood_begin(&flooders[i], bench->host.http_port);
    while (audience_bytes(bench->audience) < until) {
        look(bench, now_us());
        for (size_t i = 0; i < FLOODERS; i++)
            if (talk_take(&flooders[i].talk) != 0)
                flood_on(&flooders[i], body);
    }
    for (size_t i = 0; i < FLOODERS; i++)
        talk_close(&flooders[i].talk);
    look(bench, now_us() + SECOND_US / 2); /* what was under way */
    talk_close(&bench->talk);              /* idle for too long, maybe */
    talk_open(&bench->talk, bench->host.http_port);
    catch_up(bench, last_seq(bench));
}

static void begin(struct bench *bench, const struct plan *plan)
{
    *bench = (struct bench){.plan = plan, .priority = 50};
    host_start(&bench->host, plan->dir, false);
    talk_open(&bench->talk, bench->host.http_port);
    if (talk_request(&bench->talk, "POST", "/v1/jobs",
                     "{\"from\":1,\"to\":20,\"paused\":true}") != 202)
        log_fatal(1, "a job was refused: %s", talk_body(&bench->talk));
    member(&bench->talk, "id", bench->job, sizeof bench->job);
}

static void end(struct bench *bench)
{
    audience_free(&bench->audience);
    talk_close(&bench->talk);
    host_stop(&bench->host);
}

static double ms(struct figures *waits, double q)
{
    return (double)figures_quantile(waits, q) / 1000;
}

/* How much later the worse of the two kinds has an event, at p99. */
static double ratio_of(struct phase *with, struct phase *without)
{
    double ratio = 0;
    struct figures *a[] = {&with->reception.stream_waits,
                           &with->reception.subscriber_waits};
    struct figures *b[] = {&without->reception.stream_waits,
                           &without->reception.subscriber_waits};
    for (int i = 0; i < 2; i++)
        if (b[i]->n > 0 && ms(a[i], 0.99) / ms(b[i], 0.99) > ratio)
            ratio = ms(a[i], 0.99) / ms(b[i], 0.99);
    return ratio;
}

static void print_phase(const char *name, struct phase *phase, size_t readers)
{
    struct reception *got = &phase->reception;
    printf(",\"%s\":{\"events\":%zu,\"missing\":%zu,\"told\":%zu,\"lost\":%zu,"
           "\"core\":%.3f,\"sse_p50_ms\":%.2f,\"sse_p99_ms\":%.2f,"
           "\"feed_p50_ms\":%.2f,\"feed_p99_ms\":%.2f}",
           name, got->n, got->n * readers - got->delivered, got->told,
           got->lost, phase->core, ms(&got->stream_waits, 0.5),
           ms(&got->stream_waits, 0.99), ms(&got->subscriber_waits, 0.5),
           ms(&got->subscriber_waits, 0.99));
}

static void print_json(const struct plan *plan, struct phase phases[3])
{
    size_t readers = plan->size.streams + plan->size.subscribers;
    printf("{\"bench\":\"feed\",\"streams\":%zu,\"subscribers\":%zu,"
           "\"events_per_s\":%zu,\"seconds\":%zu,\"core_alone\":%.3f,"
           "\"core_more\":%.3f",
           plan->size.streams, plan->size.subscribers, plan->events,
           plan->seconds, phases[0].core, phases[1].core - phases[0].core);
    print_phase("all_read", &phases[1], readers);
    print_phase("two_stalled", &phases[2], readers);
    printf(",\"stalled_ratio\":%.2f}\n", ratio_of(&phases[2], &phases[1]));
}

static void print_people(const struct plan *plan, struct phase phases[3])
{
    static const char *const names[] = {"all read", "with two that do not"};
    size_t readers = plan->size.streams + plan->size.subscribers;
    printf("%zu streams, %zu subscribers, %zu events a second: %.1f %% of a "
           "core more\n",
           plan->size.streams, plan->size.subscribers, plan->events,
           (phases[1].core - phases[0].core) * 100);
    for (int i = 1; i < 3; i++) {
        struct reception *got = &phases[i].reception;
        printf("%s: %zu of %zu delivered, %zu readers told of a gap, %zu not; "
               "streams %.1f ms (p50), %.1f ms (p99); subscribers %.1f, %.1f\n",
               names[i - 1], got->delivered, got->n * readers, got->told,
               got->lost, ms(&got->stream_waits, 0.5),
               ms(&got->stream_waits, 0.99), ms(&got->subscriber_waits, 0.5),
               ms(&got->subscriber_waits, 0.99));
    }
    printf("p99 with them: %.2f times that without\n",
           ratio_of(&phases[2], &phases[1]));
}

int bench_feed(int argc, char **argv)
{
    struct conf *conf = conf_load(&program, argc, argv);
    const struct plan plan = {
        .size = {(size_t)conf_number(conf, "streams"),
                 (size_t)conf_number(conf, "subscribers")},
        .events = (size_t)conf_number(conf, "events"),
        .seconds = (size_t)conf_number(conf, "seconds"),
        .flood = (size_t)conf_number(conf, "flood") * 1024 * 1024,
        .dir = conf_get(conf, "dir")};
    struct bench bench;
    struct phase phases[3] = {0};
    begin(&bench, &plan);
    run_phase(&bench, &phases[0]);
    gather(&bench);
    run_phase(&bench, &phases[1]);
    audience_stall(bench.audience);
    flood(&bench);
    run_phase(&bench, &phases[2]);
    end(&bench);
    if (conf_on(conf, "json"))
        print_json(&plan, phases);
    else
        print_people(&plan, phases);
    for (int i = 0; i < 3; i++) {
        figures_done(&phases[i].reception.stream_waits);
        figures_done(&phases[i].reception.subscriber_waits);
    }
    conf_free(&conf);
    return 0;
}
