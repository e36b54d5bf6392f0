/* SPDX-License-Identifier: Apache-2.0
 *
 * Events of the core in words, so that a failing seed reads as a story: when,
 * who, what. What is said of lives and orders is said where they are made.
 */
#include "tests/sim/world.h"

#include <inttypes.h>

#include "common/buf.h"

#define TEXT_MAX 4096

/* "7.12": the twelfth lease of the broker's seventh run. */
#define LEASE_FORMAT "lease %" PRIu64 ".%" PRIu64
#define LEASE_OF(id)                                                           \
    LEASE_EPOCH(id), (uint64_t)(id)-LEASE_ID(LEASE_EPOCH(id), 0)

static const struct job *job_of(const struct world *world,
                                const struct event *event)
{
    return world->hub.core ? job_find(world->hub.core, event->job) : NULL;
}

/* The frame numbers of a set of ordinals; "?" of a job that is gone. */
static const char *frames_in(const struct world *world,
                             const struct event *event,
                             const struct ranges *set, struct buf *text)
{
    const struct job *job = job_of(world, event);
    if (!job)
        return "?";
    frames_list(&job->frames, set, LIMIT_FRAME_SPANS, text);
    return buf_text(text);
}

static const char *run_in(const struct world *world, const struct event *event,
                          int32_t lo, int32_t hi, struct buf *text)
{
    struct range run = {lo, hi};
    struct ranges set = {.at = &run, .n = 1, .cap = 1, .count = hi - lo};
    return frames_in(world, event, &set, text);
}

static void tell_submitted(const struct world *world, const struct event *event,
                           struct buf *text)
{
    frames_text(&event->spec->frames, text);
    tell(world, "core", "%s is submitted: %d frames, %s", event->job,
         event->spec->frames.count, buf_text(text));
}

static void tell_leased(const struct world *world, const struct event *event,
                        struct buf *text)
{
    tell(world, "core", LEASE_FORMAT ": %s %s %s frames %s",
         LEASE_OF(event->lease), event->agent,
         event->flag          ? "copies"
         : event->number == 0 ? "is adopted with"
                              : "gets",
         event->job, run_in(world, event, event->lo, event->hi, text));
}

static void tell_shortened(const struct world *world, const struct event *event,
                           struct buf *text)
{
    tell(world, "core", LEASE_FORMAT ": without %s frames %s",
         LEASE_OF(event->lease), event->job,
         run_in(world, event, event->lo, event->hi, text));
}

static void tell_released(const struct world *world, const struct event *event,
                          struct buf *text)
{
    (void)text;
    tell(world, "core", LEASE_FORMAT ": over%s%s", LEASE_OF(event->lease),
         event->fault ? ", " : "",
         event->fault ? fault_word((enum fault)event->fault) : "");
}

static void tell_done(const struct world *world, const struct event *event,
                      struct buf *text)
{
    tell(world, "core", LEASE_FORMAT ": %s frame %s is done",
         LEASE_OF(event->lease), event->job,
         run_in(world, event, event->lo, event->hi, text));
}

static void tell_charged(const struct world *world, const struct event *event,
                         struct buf *text)
{
    tell(world, "core", LEASE_FORMAT ": %s frame %s is charged, %s",
         LEASE_OF(event->lease), event->job,
         run_in(world, event, event->lo, event->hi, text),
         fault_word((enum fault)event->fault));
}

static void tell_frames(const struct world *world, const struct event *event,
                        struct buf *text)
{
    tell(world, "core", "%s frames %s: %s", event->job,
         frames_in(world, event, event->frames, text), event_word(event->type));
}

static void tell_drained(const struct world *world, const struct event *event,
                         struct buf *text)
{
    static const char *const words[] = {[DRAIN_OFF] = "takes work again",
                                        [DRAIN_SOFT] = "gets no more work",
                                        [DRAIN_NOW] = "is drained at once"};
    (void)text;
    tell(world, "core", "%s %s", event->agent, words[event->number]);
}

static void tell_life(const struct world *world, const struct event *event,
                      struct buf *text)
{
    (void)text;
    tell(world, "core", "%s is %s", event->agent,
         agent_life_word((enum agent_life)event->number));
}

static void tell_order(const struct world *world, const struct event *event,
                       struct buf *text)
{
    (void)text;
    tell(world, "core", LEASE_FORMAT ": %s is told: %s", LEASE_OF(event->lease),
         event->agent, event_word(event->type));
}

static void tell_acked(const struct world *world, const struct event *event,
                       struct buf *text)
{
    for (size_t i = 0; i < event->acks.n; i++) {
        const struct msg_ack *ack = &event->acks.at[i];
        buf_clear(text);
        if (ack->from <= ack->to)
            buf_print(text, "frames %d-%d are", ack->from, ack->to);
        tell(world, "core", LEASE_FORMAT ": %s is to be told that %s on disk",
             LEASE_OF(ack->lease), event->agent,
             ack->closed ? "its end is" : buf_text(text));
    }
}

static void tell_trimmed(const struct world *world, const struct event *event,
                         struct buf *text)
{
    (void)text;
    tell(world, "core", LEASE_FORMAT ": %s is told to stop after %d",
         LEASE_OF(event->lease), event->agent, event->number);
}

static void tell_lane(const struct world *world, const struct event *event,
                      struct buf *text)
{
    (void)text;
    tell(world, "core", "%s gets lane %" PRIu64 ".%" PRIu64, event->agent,
         LEASE_OF(event->lane));
}

static void tell_rival(const struct world *world, const struct event *event,
                       struct buf *text)
{
    (void)text;
    tell(world, "core", "%s has a rival, inc %" PRIx64 "%s", event->agent,
         event->inc, event->type == EVENT_REFUSED ? ", which is refused" : "");
}

static void tell_job(const struct world *world, const struct event *event,
                     struct buf *text)
{
    (void)text;
    tell(world, "core", "%s: %s", event->job, event_word(event->type));
}

void tell_event(const struct world *world, const struct event *event)
{
    /* HEARD and PROGRESS come too often to be news. */
    static void (*const tellers[EVENT_TYPES])(
        const struct world *, const struct event *, struct buf *) = {
        [EVENT_SUBMITTED] = tell_submitted, [EVENT_PATCHED] = tell_job,
        [EVENT_CANCELLED] = tell_frames,    [EVENT_RETRIED] = tell_frames,
        [EVENT_FORGOTTEN] = tell_job,       [EVENT_DONE] = tell_done,
        [EVENT_CHARGED] = tell_charged,     [EVENT_FAILED] = tell_frames,
        [EVENT_DRAINED] = tell_drained,     [EVENT_LEASED] = tell_leased,
        [EVENT_SHORTENED] = tell_shortened, [EVENT_RELEASED] = tell_released,
        [EVENT_AGENT] = tell_life,          [EVENT_RIVAL] = tell_rival,
        [EVENT_LANE] = tell_lane,           [EVENT_REFUSED] = tell_rival,
        [EVENT_ACKED] = tell_acked,         [EVENT_REVOKED] = tell_order,
        [EVENT_TRIMMED] = tell_trimmed,     [EVENT_STARTED] = tell_job,
        [EVENT_ENDED] = tell_job,           [EVENT_OPENED] = tell_job,
    };
    struct buf text;
    if (!world->verbose || !tellers[event->type])
        return;
    buf_init(&text, TEXT_MAX);
    tellers[event->type](world, event, &text);
    buf_free(&text);
}
