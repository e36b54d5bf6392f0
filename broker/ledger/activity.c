/* SPDX-License-Identifier: Apache-2.0
 *
 * Events into rows of the activity. Leases, progress and finished frames have
 * none: they are too many, and the frames tell of themselves.
 */
#include "broker/ledger/activity.h"

#include <stdio.h>
#include <string.h>

#include "broker/core/state.h"
#include "common/app/clock.h"

#define RUNS_SHOWN 20 /* of frames, in a text */

struct source {
    const struct cmd *cmd;
    const struct activity_before *before;
    const struct event *event;
    const struct job *job; /* of the event; NULL: none, or gone */
    struct arena *arena;
    struct activity *rows;
    size_t n;
};

struct activity_before activity_before(const struct core *core,
                                       const struct cmd *cmd,
                                       struct arena *arena)
{
    const struct job *job = cmd->job ? job_find(core, cmd->job) : NULL;
    if (!job)
        return (struct activity_before){.name = ""};
    return (struct activity_before){.name = arena_print(arena, "%s", job->name),
                                    .priority = job->priority,
                                    .max_agents = job->max_agents,
                                    .paused = job->paused};
}

static struct activity *add(struct source *source, const char *what)
{
    struct activity *row = &source->rows[source->n++];
    const struct job *job = source->job;
    const struct event *event = source->event;
    *row = (struct activity){.at_ms = event->at_ms,
                             .last_ms = event->at_ms,
                             .times = 1,
                             .what = what,
                             .who = "",
                             .job = event->job ? event->job : "",
                             .name = job ? job->name : "",
                             .agent = event->agent ? event->agent : "",
                             .text = ""};
    return row;
}

/* A row of what a person asked for. */
static struct activity *add_asked(struct source *source, const char *what)
{
    struct activity *row = add(source, what);
    row->who = source->cmd->who ? source->cmd->who : "";
    return row;
}

static const char *runs_text(const struct source *source,
                             const struct ranges *set)
{
    struct buf text;
    buf_init(&text, LIMIT_REASON);
    frames_list(&source->job->frames, set, RUNS_SHOWN, &text);
    const char *kept = arena_print(source->arena, "%s", buf_text(&text));
    buf_free(&text);
    return kept;
}

static void submitted(struct source *source)
{
    const struct job *job = source->job;
    struct activity *row = add(source, "submitted");
    row->who = job->user;
    row->text = arena_print(source->arena, "%d frames, priority %d",
                            job->frames.count, job->priority);
}

static void patched(struct source *source)
{
    const struct activity_before *before = source->before;
    const struct event *event = source->event;
    if (event->flag != before->paused)
        add_asked(source, event->flag ? "paused" : "resumed");
    if (event->number != before->priority)
        add_asked(source, "priority")->text = arena_print(
            source->arena, "%d to %d", before->priority, event->number);
    if (event->limit != before->max_agents)
        add_asked(source, "max_agents")->text = arena_print(
            source->arena, "%d to %d", before->max_agents, event->limit);
}

static void cancelled(struct source *source)
{
    const struct event *event = source->event;
    const char *reason = event->text ? event->text : "";
    struct activity *row = add_asked(source, "cancelled");
    row->text = reason;
    if (!event->flag)
        row->text = arena_print(source->arena, "frames %s%s%s",
                                runs_text(source, event->frames),
                                *reason ? ": " : "", reason);
}

static void retried(struct source *source)
{
    const struct event *event = source->event;
    const char *avoid = event->text ? event->text : "";
    add_asked(source, "retried")->text = arena_print(
        source->arena, "frames %s%s%s", runs_text(source, event->frames),
        *avoid ? ", not first at " : "", avoid);
}

static void deleted(struct source *source)
{
    struct activity *row = add_asked(source, "deleted");
    row->name = source->before->name;
    if (*row->who == '\0')
        row->text = "it was older than --keep";
}

static void say_fault(struct source *source, struct activity *row,
                      const char *frames)
{
    const struct event *event = source->event;
    const char *reason = event->text ? event->text : "";
    row->merge = true;
    row->text = arena_print(source->arena, "frame %s: %s%s%s", frames,
                            fault_word((enum fault)event->fault),
                            *reason ? ": " : "", reason);
}

static void charged(struct source *source)
{
    char number[16];
    snprintf(number, sizeof number, "%d",
             frames_number(&source->job->frames, source->event->lo));
    say_fault(source, add(source, "attempt_failed"), number);
}

/* That of a whole job is told by its end. */
static void failed(struct source *source)
{
    const struct event *event = source->event;
    if (!event->flag)
        say_fault(source, add(source, "frame_failed"),
                  runs_text(source, event->frames));
}

static void benched(struct source *source)
{
    add(source, "benched")->text = arena_print(
        source->arena, "%d frames failed there which others rendered",
        source->event->number);
}

static void drained(struct source *source)
{
    char until[CLOCK_TEXT_SIZE];
    const struct event *event = source->event;
    bool off = event->number == DRAIN_OFF;
    struct activity *row = add_asked(source, off ? "undrained" : "drained");
    if (off && source->cmd->type != CMD_DRAIN)
        row->text = "its time was over";
    else if (event->until_ms > 0)
        row->text = arena_print(source->arena, "until %s",
                                clock_text(event->until_ms, until));
    else if (event->number == DRAIN_NOW)
        row->text = "now";
}

static void ended(struct source *source)
{
    const struct job *job = source->job;
    const char *reason = job->reason ? job->reason : "";
    add(source, "ended")->text = arena_print(
        source->arena, "%s: %d frames done, %d failed, %d cancelled%s%s",
        job_status_word(job_status(job)), job->in[FRAME_DONE].count,
        job->in[FRAME_FAILED].count, job->in[FRAME_CANCELLED].count,
        *reason ? ": " : "", reason);
}

/* One that is silent for a moment, or lost after it went, is no news. */
static void agent(struct source *source)
{
    enum agent_life now = (enum agent_life)source->event->number;
    enum agent_life before = (enum agent_life)source->event->lo;
    bool was_there = before == AGENT_UP || before == AGENT_SILENT;
    if (now == AGENT_UP && !was_there)
        add(source, "agent_up");
    else if (now == AGENT_GONE)
        add(source, "agent_gone")->text = "its connection closed";
    else if (now == AGENT_LOST && was_there)
        add(source, "agent_lost")->text = "not heard for too long";
}

static void (*const projections[EVENT_TYPES])(struct source *source) = {
    [EVENT_SUBMITTED] = submitted, [EVENT_PATCHED] = patched,
    [EVENT_CANCELLED] = cancelled, [EVENT_RETRIED] = retried,
    [EVENT_FORGOTTEN] = deleted,   [EVENT_CHARGED] = charged,
    [EVENT_FAILED] = failed,       [EVENT_BENCHED] = benched,
    [EVENT_DRAINED] = drained,     [EVENT_ENDED] = ended,
    [EVENT_AGENT] = agent,
};

size_t activity_of(const struct core *core, const struct cmd *cmd,
                   const struct activity_before *before,
                   const struct event *event, struct arena *arena,
                   struct activity ret[ACTIVITY_ROWS])
{
    struct source source = {.cmd = cmd,
                            .before = before,
                            .event = event,
                            .arena = arena,
                            .rows = ret};
    if (!projections[event->type])
        return 0;
    source.job = job_find(core, event->job);
    bool gone = event->job && !source.job;
    if (!gone || event->type == EVENT_FORGOTTEN)
        projections[event->type](&source);
    return source.n;
}
