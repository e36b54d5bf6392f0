/* SPDX-License-Identifier: Apache-2.0
 *
 * Why a job, or one frame of it, runs where it runs or waits, for people. All
 * reasons are the scheduler's own (broker/core/why.h); here they get words.
 * Guesses nothing: what nobody can tell yet is left out.
 */
#include "broker/views/view.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "broker/core/why.h"
#include "common/app/clock.h"

#define AGENTS_SHOWN LIMIT_PAGE

/* What keeps a job's frames, or one of them: the reason that stands nearest to
 * their being given out. */
struct verdict {
    enum why why;
    char text[LIMIT_REASON];
    int n; /* agents of which it is the reason; 0: it is the job's */
};

__attribute__((format(printf, 2, 3))) static void say(char text[LIMIT_REASON],
                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(text, LIMIT_REASON, format, args);
    va_end(args);
}

static const char *label(const struct job *job)
{
    return *job->name != '\0' ? job->name : job->id;
}

/* --- Agents. --- */

static void say_first(char text[LIMIT_REASON], const struct job *first,
                      const struct job *job)
{
    switch (why_first(first, job)) {
    case FIRST_PRIORITY:
        say(text,
            "is busy, and job %s goes first: priority %d, this one has %d",
            label(first), first->priority, job->priority);
        return;
    case FIRST_SHARE:
        say(text,
            "is busy, and job %s goes first: its user %s has fewer batches in "
            "work (%d) than %s (%d)",
            label(first), first->user, first->owner->leases, job->user,
            job->owner->leases);
        return;
    case FIRST_SMALL:
        say(text,
            "is busy, and job %s goes first: it has %d frames, this one is a "
            "hundred times as big",
            label(first), first->frames.count);
        return;
    default:
        say(text, "is busy, and job %s goes first: it is older", label(first));
    }
}

static void say_agent(char text[LIMIT_REASON], const struct why_agent *why,
                      const struct job *job, const struct agent *agent)
{
    char need[VIEW_NEED_SIZE];
    if (why->why >= WHY_TAG && why->why <= WHY_BLENDER) {
        view_need(job, why->need, need);
        say(text, "lacks %s", need);
    } else if (why->why == WHY_BUSY && why->next == job) {
        say(text, "is busy, and takes it as soon as a slot is free");
    } else if (why->why == WHY_BUSY && why->next) {
        say_first(text, why->next, job);
    } else if (why->why == WHY_AWAY || why->why == WHY_NO_SLOTS ||
               why->why == WHY_RESTING) {
        const char *own = view_agent_why(agent);
        say(text, "%s%s%s", why_text(why->why), *own ? ": " : "", own);
    } else {
        say(text, "%s", why_text(why->why));
    }
}

static void verdict_hear(struct verdict *verdict, enum why why,
                         const char *agent, const char *text)
{
    if (verdict->n > 0 && why <= verdict->why) {
        verdict->n += why == verdict->why;
        return;
    }
    verdict->why = why;
    verdict->n = 1;
    say(verdict->text, "agent %s %s", agent, text);
}

static json_t *explain_agent(const struct core *core, const struct job *job,
                             const struct agent *agent, int32_t ordinal,
                             struct verdict *verdict)
{
    char text[LIMIT_REASON];
    struct why_agent why = why_agent(core, job, agent, ordinal);
    bool other = why.next && why.next != job;
    say_agent(text, &why, job, agent);
    verdict_hear(verdict, why.why, agent->name, text);
    json_t *view = json_object();
    view_put(view, "agent", json_string(agent->name));
    view_put(view, "code", json_string(why_word(why.why)));
    view_put(view, "text", json_string(text));
    view_put(view, "remedy", view_text_or_null(why_remedy(why.why)));
    view_put(view, "job", other ? json_string(why.next->id) : NULL);
    return view;
}

/* Those that are there, then those that are not. */
static json_t *explain_agents(const struct core *core, const struct job *job,
                              int32_t ordinal, struct verdict *verdict)
{
    json_t *list = json_array();
    const struct agent *agent;
    for (int away = 0; away < 2; away++)
        DL_FOREACH (core->agents, agent)
            if ((agent->life != AGENT_UP) == away &&
                json_array_size(list) < AGENTS_SHOWN)
                json_array_append_new(
                    list, explain_agent(core, job, agent, ordinal, verdict));
    return list;
}

/* --- The job. --- */

static const struct job *waits_for(const struct core *core,
                                   const struct job *job, size_t from,
                                   size_t *ret_at)
{
    for (*ret_at = from; *ret_at < job->n_depends; ++*ret_at) {
        const struct job *other = job_find(core, job->depends[*ret_at]);
        if (other && job_status(other) != JOB_COMPLETED)
            return other;
    }
    return NULL;
}

static json_t *explain_waits(const struct core *core, const struct job *job)
{
    json_t *list = json_array();
    size_t at = 0;
    const struct job *other = waits_for(core, job, 0, &at);
    for (; other; other = waits_for(core, job, at + 1, &at))
        json_array_append_new(list,
                              json_pack("{s:s,s:s,s:s}", "job", other->id,
                                        "name", other->name, "state",
                                        job_status_word(job_status(other))));
    return list;
}

static void say_job(const struct core *core, const struct job *job,
                    struct verdict *verdict)
{
    char time[CLOCK_TEXT_SIZE];
    size_t at;
    const struct job *other;
    if (verdict->why == WHY_NOT_BEFORE) {
        say(verdict->text, "it is not to begin before %s",
            clock_text(job->not_before_ms, time));
    } else if (verdict->why == WHY_DEPENDS &&
               (other = waits_for(core, job, 0, &at))) {
        say(verdict->text, "it waits for job %s to complete, which is %s",
            label(other), job_status_word(job_status(other)));
    } else if (verdict->why == WHY_ALL_LEASED) {
        say(verdict->text, "%s, by %d agent%s", why_text(verdict->why),
            job->agents, job->agents == 1 ? "" : "s");
    } else {
        say(verdict->text, "%s", why_text(verdict->why));
    }
}

static enum why held_by(const struct core *core, const struct job *job)
{
    enum why held = why_job(core, job);
    bool due = held == WHY_NONE && job->place != PLACE_QUEUE;
    return due ? WHY_OPENING : held;
}

static void say_nearest(const struct core *core, const struct job *job,
                        struct verdict *verdict)
{
    json_t *nobody = view_nobody(core, job);
    size_t len = strlen(verdict->text);
    if (verdict->n == 0)
        verdict->why = WHY_AWAY;
    if (nobody)
        say(verdict->text, "%s", json_string_value(nobody));
    else if (verdict->n > 1)
        snprintf(verdict->text + len, sizeof verdict->text - len,
                 " (and %d more)", verdict->n - 1);
    json_decref(nobody);
}

/* Why nobody has the pending frames, or that one of them. */
static void judge(const struct core *core, const struct job *job,
                  int32_t ordinal, json_t *view, struct verdict *verdict)
{
    enum why held = held_by(core, job);
    bool pending = job->in[FRAME_PENDING].count > 0;
    view_put(view, "agents",
             pending ? explain_agents(core, job, ordinal, verdict)
                     : json_array());
    if (held == WHY_NONE) {
        say_nearest(core, job, verdict);
        return;
    }
    *verdict = (struct verdict){.why = held};
    say_job(core, job, verdict);
}

/* --- Leases. --- */

static bool is_copy(const struct lease *lease)
{
    return lease->left.count > 0 && lease->held.count == 0;
}

static void say_lease(const struct core *core, const struct lease *lease,
                      char text[LIMIT_REASON])
{
    char time[CLOCK_TEXT_SIZE];
    int64_t away_ms = why_elsewhere_ms(core, lease);
    if (away_ms < INT64_MAX)
        say(text,
            "its agent is not heard; if that stays so its frames go to others "
            "at %s",
            clock_text(away_ms, time));
    else if (lease->late)
        say(text, "it shows nothing for longer than frames of this job take; "
                  "an agent with nothing else to do renders a second copy");
    else if (LEASE_OVER(lease->status))
        say(text, "it is over; what it rendered is being acknowledged");
    else if (lease->frame >= 0)
        say(text, "renders frame %d", lease->frame);
    else
        say(text, "is being started");
}

static json_t *explain_lease(const struct core *core, const struct lease *lease,
                             int32_t ordinal)
{
    char id[VIEW_LEASE_SIZE], text[LIMIT_REASON];
    int64_t due_ms = why_due_ms(lease, ordinal);
    json_t *view = json_object();
    say_lease(core, lease, text);
    view_put(view, "agent", json_string(lease->agent->name));
    view_put(view, "lease", json_string(view_lease(lease->id, id)));
    view_put(view, "frames",
             view_range_text(&lease->job->frames, lease->lo, lease->hi));
    view_put(view, "second_copy", json_boolean(is_copy(lease)));
    view_put(view, "since", view_time(lease->granted_ms));
    view_put(view, "expected_at", due_ms < 0 ? NULL : view_time(due_ms));
    view_put(view, "late", json_boolean(lease->late));
    view_put(view, "text", json_string(text));
    return view;
}

/* All of the job, or those that render one frame. */
static json_t *explain_leases(const struct core *core, const struct job *job,
                              int32_t ordinal)
{
    json_t *list = json_array();
    const struct lease *lease;
    DL_FOREACH2 (job->leases, lease, job_next) {
        bool all = ordinal < 0;
        if (!all && !ranges_has(&lease->left, ordinal))
            continue;
        json_array_append_new(
            list,
            explain_lease(core, lease, all ? job->frames.count - 1 : ordinal));
    }
    return list;
}

static void put_verdict(json_t *view, const struct verdict *verdict)
{
    view_put(view, "code", json_string(why_word(verdict->why)));
    view_put(view, "text", json_string(verdict->text));
    view_put(view, "remedy", view_text_or_null(why_remedy(verdict->why)));
}

json_t *view_explain(const struct core *core, const struct job *job)
{
    struct verdict verdict = {.why = WHY_ENDED};
    json_t *view = json_object();
    view_put(view, "job", json_string(job->id));
    view_put(view, "name", json_string(job->name));
    view_put(view, "state", json_string(job_status_word(job_status(job))));
    view_put(view, "counts", view_counts(job));
    judge(core, job, -1, view, &verdict);
    if (verdict.why == WHY_ENDED && job->reason && *job->reason)
        say(verdict.text, "%s: %s", why_text(WHY_ENDED), job->reason);
    put_verdict(view, &verdict);
    view_put(view, "waits_for", explain_waits(core, job));
    view_put(view, "leases", explain_leases(core, job, -1));
    view_put(view, "warnings", view_warnings(core, job));
    return view;
}

/* --- One frame. --- */

static void put_attempts(const struct core *core, const struct job *job,
                         int32_t ordinal, json_t *view)
{
    const struct attempt *attempt = job_attempt_find(job, ordinal);
    int32_t most =
        job->max_attempts > 0 ? job->max_attempts : core->options.max_attempts;
    enum fault fault = attempt ? (enum fault)attempt->fault : FAULT_NONE;
    bool failed = attempt && fault != FAULT_NONE;
    view_put(view, "attempts", json_integer(attempt ? attempt->charges : 0));
    view_put(view, "max_attempts", json_integer(most));
    view_put(view, "losses", json_integer(attempt ? attempt->losses : 0));
    view_put(view, "fault", failed ? json_string(fault_word(fault)) : NULL);
    view_put(view, "fault_text",
             view_text_or_null(attempt ? attempt->text : NULL));
    view_put(view, "fault_remedy",
             failed ? view_text_or_null(fault_remedy(fault)) : NULL);
    view_put(view, "failed_by", view_names(attempt ? attempt->by : NULL));
    view_put(view, "lost_by", view_names(attempt ? attempt->lost_by : NULL));
}

static const struct lease *holder_of(const struct job *job, int32_t ordinal)
{
    const struct lease *lease;
    DL_FOREACH2 (job->leases, lease, job_next)
        if (ranges_has(&lease->held, ordinal))
            return lease;
    return NULL;
}

static void say_leased(const struct core *core, const struct lease *lease,
                       int32_t number, char text[LIMIT_REASON])
{
    char time[CLOCK_TEXT_SIZE], state[LIMIT_REASON];
    say_lease(core, lease, state);
    bool at = lease->frame == number;
    say(text, "agent %s %s %s (%s)", lease->agent->name,
        at ? "renders it, in a batch since" : "has it in a batch since",
        clock_text(lease->granted_ms, time), state);
}

static void say_over(const struct job *job, int32_t ordinal,
                     enum frame_state state, char text[LIMIT_REASON])
{
    const struct attempt *attempt = job_attempt_find(job, ordinal);
    const char *reason = job->reason ? job->reason : "";
    if (state == FRAME_FAILED && attempt) {
        reason = attempt->text;
        say(text, "it failed, %s%s%s", fault_word((enum fault)attempt->fault),
            reason && *reason ? ": " : "", reason ? reason : "");
        return;
    }
    const char *word = state == FRAME_DONE ? "it is done" : "it failed";
    if (state == FRAME_CANCELLED)
        word = "it was cancelled";
    bool told = state != FRAME_DONE && *reason;
    say(text, "%s%s%s", word, told ? ": " : "", told ? reason : "");
}

json_t *view_explain_frame(const struct core *core, const struct job *job,
                           int32_t ordinal)
{
    enum frame_state state = view_frame_state(job, ordinal);
    int32_t number = frames_number(&job->frames, ordinal);
    struct verdict verdict = {.why = WHY_ENDED};
    json_t *view = json_object();
    view_put(view, "job", json_string(job->id));
    view_put(view, "name", json_string(job->name));
    view_put(view, "frame", json_integer(number));
    view_put(view, "state", json_string(frame_word(state)));
    if (state == FRAME_PENDING)
        judge(core, job, ordinal, view, &verdict);
    else if (state == FRAME_LEASED)
        say_leased(core, holder_of(job, ordinal), number, verdict.text);
    else
        say_over(job, ordinal, state, verdict.text);
    put_verdict(view, &verdict);
    if (state != FRAME_PENDING) {
        view_put(view, "code", json_string(frame_word(state)));
        view_put(view, "agents", json_array());
    }
    view_put(view, "leases", explain_leases(core, job, ordinal));
    put_attempts(core, job, ordinal, view);
    return view;
}
