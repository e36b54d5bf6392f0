/* SPDX-License-Identifier: Apache-2.0
 *
 * Counters and their text form. No label names a job, a frame or a person: the
 * number of series stays that of routes times statuses.
 */
#include "broker/people/meter.h"

#include <inttypes.h>

#include "broker/people/route.h"
#include "common/mem.h"

static const double request_bounds[METER_BUCKETS] = {
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30};
static const double frame_bounds[METER_BUCKETS] = {
    0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600};
static const double turn_bounds[METER_BUCKETS] = {
    0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5};

void meter_init(struct meter *meter)
{
    *meter = (struct meter){.requests.bounds = request_bounds,
                            .frames.bounds = frame_bounds,
                            .turns.bounds = turn_bounds};
}

void meter_done(struct meter *meter)
{
    mem_free(meter->tallies);
    *meter = (struct meter){0};
}

static void histogram_add(struct histogram *histogram, double seconds)
{
    int i = 0;
    while (i < METER_BUCKETS && seconds > histogram->bounds[i])
        i++;
    histogram->bucket[i]++;
    histogram->n++;
    histogram->sum_s += seconds;
}

static struct tally *tally_get(struct meter *meter, const struct route *route,
                               int status)
{
    for (size_t i = 0; i < meter->n; i++)
        if (meter->tallies[i].route == route &&
            meter->tallies[i].status == status)
            return &meter->tallies[i];
    if (meter->n == meter->cap) {
        meter->cap = 2 * meter->cap + 16;
        meter->tallies =
            mem_grow(meter->tallies, meter->cap, sizeof *meter->tallies);
    }
    meter->tallies[meter->n] = (struct tally){route, status, 0};
    return &meter->tallies[meter->n++];
}

void meter_request(struct meter *meter, const struct route *route, int status,
                   int64_t ms)
{
    tally_get(meter, route, status)->n++;
    histogram_add(&meter->requests, (double)ms / 1000.0);
}

void meter_turn(struct meter *meter, int64_t ms)
{
    histogram_add(&meter->turns, (double)ms / 1000.0);
}

void meter_event(struct meter *meter, const struct event *event)
{
    if (event->type == EVENT_DONE) {
        meter->done++;
        histogram_add(&meter->frames, event->number / 1000.0);
    } else if (event->type == EVENT_FAILED) {
        meter->failed += (uint64_t)event->frames->count;
    } else if (event->type == EVENT_CANCELLED) {
        meter->cancelled += (uint64_t)event->frames->count;
    } else if (event->type == EVENT_CHARGED) {
        meter->charged++;
    }
}

static void write_histogram(const struct exposition *to,
                            const struct histogram *histogram, const char *name,
                            const char *help)
{
    uint64_t sum = 0;
    exposition_head(to, METRIC_HISTOGRAM, name, help);
    for (int i = 0; i < METER_BUCKETS; i++) {
        sum += histogram->bucket[i];
        buf_print(to->out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                  histogram->bounds[i], sum);
    }
    buf_print(to->out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name,
              histogram->n);
    buf_print(to->out, "%s_sum %g\n%s_count %" PRIu64 "\n", name,
              histogram->sum_s, name, histogram->n);
}

static void write_frames(const struct exposition *to, const struct meter *meter)
{
    static const char name[] = "frameq_frames_total";
    exposition_head(to, METRIC_COUNTER, name,
                    "Frames that came to an end since the broker started; "
                    "charged ones are rendered again.");
    exposition_with(to, name, "state", "done", (double)meter->done);
    exposition_with(to, name, "state", "charged", (double)meter->charged);
    exposition_with(to, name, "state", "failed", (double)meter->failed);
    exposition_with(to, name, "state", "cancelled", (double)meter->cancelled);
}

static void write_tallies(const struct exposition *to,
                          const struct meter *meter)
{
    exposition_head(to, METRIC_COUNTER, "frameq_http_requests_total",
                    "Answers, by route and status.");
    for (size_t i = 0; i < meter->n; i++) {
        const struct tally *tally = &meter->tallies[i];
        const struct route *route = tally->route;
        buf_print(to->out,
                  "frameq_http_requests_total{method=\"%s\",route=\"%s\","
                  "code=\"%d\"} %" PRIu64 "\n",
                  route ? route->method : "", route ? route->pattern : "none",
                  tally->status, tally->n);
    }
}

void meter_write(const struct meter *meter, const struct exposition *to)
{
    write_frames(to, meter);
    write_histogram(to, &meter->frames, "frameq_frame_render_seconds",
                    "Render time of done frames.");
    write_tallies(to, meter);
    write_histogram(to, &meter->requests, "frameq_http_request_seconds",
                    "Time from a request to its answer.");
    write_histogram(to, &meter->turns, "frameq_loop_turn_seconds",
                    "Time of a turn of the loop: what comes in may wait for "
                    "it.");
}
