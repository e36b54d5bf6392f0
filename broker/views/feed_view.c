/* SPDX-License-Identifier: Apache-2.0
 *
 * One small builder an event; the table at the end says who builds what.
 */
#include "broker/views/feed_view.h"

#include <stdio.h>

#include "broker/views/member.h"
#include "broker/views/view.h"

/* Ranges named in one event; a job cut into more is shown by its counts. */
#define FEED_RANGES 100

static void topic_job(struct feed_view *view, const struct event *event)
{
    snprintf(view->topic, sizeof view->topic, "job/%s/", event->job);
}

static void topic_agent(struct feed_view *view, const struct event *event)
{
    snprintf(view->topic, sizeof view->topic, "agent/%s/", event->agent);
}

/* Jobs: what changed, and how it stands now. */
static void view_job_change(struct feed_view *view, const struct job *job,
                            const struct event *event, const char *change)
{
    view->type = "job";
    topic_job(view, event);
    member_text(view->body, "job", event->job);
    member_text(view->body, "change", change);
    if (!job)
        return;
    member_text(view->body, "name", job->name);
    member_text(view->body, "state", job_status_word(job_status(job)));
    member_json(view->body, "counts", view_counts(job));
    if (event->text)
        member_text(view->body, "text", event->text);
}

static void see_submitted(struct feed_view *view, const struct core *core,
                          const struct event *event)
{
    view_job_change(view, job_find(core, event->job), event, "submitted");
}

static void see_patched(struct feed_view *view, const struct core *core,
                        const struct event *event)
{
    view_job_change(view, job_find(core, event->job), event, "changed");
}

static void see_forgotten(struct feed_view *view, const struct core *core,
                          const struct event *event)
{
    (void)core;
    view_job_change(view, NULL, event, "forgotten");
}

static void see_started(struct feed_view *view, const struct core *core,
                        const struct event *event)
{
    view_job_change(view, job_find(core, event->job), event, "started");
}

static void see_ended(struct feed_view *view, const struct core *core,
                      const struct event *event)
{
    view_job_change(view, job_find(core, event->job), event, "ended");
}

static void view_frames_text_of(const struct feed_view *view,
                                const struct job *job, const struct ranges *set,
                                int32_t most)
{
    struct buf text;
    buf_init(&text, LIMIT_FRAMES_TEXT);
    frames_list(&job->frames, set, most, &text);
    member_text(view->body, "frames", buf_text(&text));
    buf_free(&text);
}

/* Frames: one by its number, several as an expression. */
static void view_frames_of(struct feed_view *view, const struct job *job,
                           const struct event *event, const char *state)
{
    view->type = "frame";
    topic_job(view, event);
    member_text(view->body, "job", event->job);
    member_text(view->body, "state", state);
    member_text(view->body, "name", job->name);
    if (event->agent)
        member_text(view->body, "agent", event->agent);
    if (event->frames)
        view_frames_text_of(view, job, event->frames, FEED_RANGES);
    else
        member_integer(view->body, "frame",
                       frames_number(&job->frames, event->lo));
}

static void view_fault(struct feed_view *view, const struct event *event)
{
    member_text(view->body, "fault", fault_word((enum fault)event->fault));
    member_text(view->body, "text", event->text);
}

static void see_done(struct feed_view *view, const struct core *core,
                     const struct event *event)
{
    const struct job *job = job_find(core, event->job);
    if (!job)
        return;
    view_frames_of(view, job, event, "done");
    member_thousandths(view->body, "seconds", event->number);
    json_t *files = event->text ? json_loads(event->text, 0, NULL) : NULL;
    member_json(view->body, "files", files ? files : json_array());
}

static void see_charged(struct feed_view *view, const struct core *core,
                        const struct event *event)
{
    const struct job *job = job_find(core, event->job);
    if (!job || event->flag) /* a second copy's: the frame is still leased */
        return;
    view_frames_of(view, job, event, "pending");
    view_fault(view, event);
    const struct attempt *attempt = job_attempt_find(job, event->lo);
    if (attempt)
        member_integer(view->body, "attempts", attempt->charges);
}

static void see_failed(struct feed_view *view, const struct core *core,
                       const struct event *event)
{
    const struct job *job = job_find(core, event->job);
    if (!job)
        return;
    struct event one = *event;
    if (event->frames->count == 1) { /* named by its number, as when done */
        one.lo = event->frames->at[0].lo;
        one.frames = NULL;
    }
    view_frames_of(view, job, &one, "failed");
    view_fault(view, event);
}

static void see_cancelled(struct feed_view *view, const struct core *core,
                          const struct event *event)
{
    const struct job *job = job_find(core, event->job);
    if (!job)
        return;
    view_frames_of(view, job, event, "cancelled");
    member_text(view->body, "text", event->text);
}

static void see_retried(struct feed_view *view, const struct core *core,
                        const struct event *event)
{
    const struct job *job = job_find(core, event->job);
    if (job)
        view_frames_of(view, job, event, "pending");
}

/* Leases: who has which frames. */
static void view_lease_change(struct feed_view *view, const struct core *core,
                              const struct event *event, const char *change)
{
    const struct job *job = job_find(core, event->job);
    if (!job)
        return;
    char id[VIEW_LEASE_SIZE];
    struct range run = {event->lo, event->hi};
    struct ranges set = {.at = &run, .n = 1, .count = run.hi - run.lo};
    view->type = "lease";
    topic_job(view, event);
    member_text(view->body, "job", event->job);
    member_text(view->body, "lease", view_lease(event->lease, id));
    member_text(view->body, "agent", event->agent);
    member_text(view->body, "change", change);
    view_frames_text_of(view, job, &set, LIMIT_FRAME_SPANS);
}

static void see_leased(struct feed_view *view, const struct core *core,
                       const struct event *event)
{
    view_lease_change(view, core, event, "leased");
}

static void see_shortened(struct feed_view *view, const struct core *core,
                          const struct event *event)
{
    view_lease_change(view, core, event, "shortened");
}

static void see_released(struct feed_view *view, const struct core *core,
                         const struct event *event)
{
    view_lease_change(view, core, event, "released");
}

static void see_progress(struct feed_view *view, const struct core *core,
                         const struct event *event)
{
    char id[VIEW_LEASE_SIZE];
    (void)core;
    if (event->lo < 0)
        return;
    view->type = "progress";
    topic_job(view, event);
    member_text(view->body, "job", event->job);
    member_text(view->body, "lease", view_lease(event->lease, id));
    member_text(view->body, "agent", event->agent);
    member_integer(view->body, "frame", event->lo);
    member_thousandths(view->body, "progress", event->number);
}

/* Agents: all members of their view. */
static void view_agent_change(struct feed_view *view, const struct core *core,
                              const struct event *event, const char *change)
{
    const struct agent *agent = agent_find(core, event->agent);
    if (!agent)
        return;
    view->type = "agent";
    topic_agent(view, event);
    const char *name;
    json_t *value, *whole = view_agent(agent, false);
    json_object_foreach(whole, name, value)
        member_json(view->body, name, json_incref(value));
    json_decref(whole);
    member_text(view->body, "change", change);
}

static void see_agent(struct feed_view *view, const struct core *core,
                      const struct event *event)
{
    view_agent_change(view, core, event,
                      agent_life_word((enum agent_life)event->number));
}

static void see_benched(struct feed_view *view, const struct core *core,
                        const struct event *event)
{
    view_agent_change(view, core, event, "benched");
    if (view->type)
        member_text(view->body, "job", event->job);
}

/* A batch that came back is nothing to see, a rest that begins is. */
static void see_missed(struct feed_view *view, const struct core *core,
                       const struct event *event)
{
    if (event->until_ms > 0)
        view_agent_change(view, core, event, "changed");
}

static void see_rested(struct feed_view *view, const struct core *core,
                       const struct event *event)
{
    view_agent_change(view, core, event, "changed");
}

static void see_drained(struct feed_view *view, const struct core *core,
                        const struct event *event)
{
    view_agent_change(view, core, event, "drained");
}

static void (*const seers[EVENT_TYPES])(struct feed_view *, const struct core *,
                                        const struct event *) = {
    [EVENT_SUBMITTED] = see_submitted, [EVENT_PATCHED] = see_patched,
    [EVENT_CANCELLED] = see_cancelled, [EVENT_RETRIED] = see_retried,
    [EVENT_FORGOTTEN] = see_forgotten, [EVENT_DONE] = see_done,
    [EVENT_CHARGED] = see_charged,     [EVENT_FAILED] = see_failed,
    [EVENT_BENCHED] = see_benched,     [EVENT_MISSED] = see_missed,
    [EVENT_RESTED] = see_rested,       [EVENT_DRAINED] = see_drained,
    [EVENT_LEASED] = see_leased,       [EVENT_SHORTENED] = see_shortened,
    [EVENT_RELEASED] = see_released,   [EVENT_AGENT] = see_agent,
    [EVENT_STARTED] = see_started,     [EVENT_ENDED] = see_ended,
    [EVENT_PROGRESS] = see_progress,
};

struct feed_view feed_view_event(const struct core *core,
                                 const struct event *event, struct buf *body)
{
    struct feed_view view = {.body = body};
    if (seers[event->type])
        seers[event->type](&view, core, event);
    return view;
}
