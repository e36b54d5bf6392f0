/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the core say to each other. Nothing outside broker/core
 * includes it.
 */
#ifndef FRAMEQ_BROKER_CORE_CORE_INTERNAL_H
#define FRAMEQ_BROKER_CORE_CORE_INTERNAL_H

#include "broker/core/state.h"
#include "broker/core/why.h"

/* Protocol times that the core acts on (docs/protocol.md, "Timings").
 * silent: without STATE this long, no new work. unseen: a BATCH that no STATE
 * shows, its lane is replaced. progress: of one frame is shown this often.
 * fresh: a closed connection is a kill only if the agent was heard this lately,
 * for a cut link is closed by a time-out too. late: a STATE heard
 * this soon after another inc's may have been sent before its agent died.
 * slept: a step this much later than core_next asked for means that the broker
 * itself did not run, and heard nobody. watch: while an agent is there,
 * core_next asks for a step this often, so that any sleep is seen that may have
 * cost a connection (TCP ends it after 6 s). woken: a connection that a
 * sleep has cost is seen to close within so long after it (a probe after 2 s,
 * its time-out of 6, and the turns between). */
#define CORE_SILENT_MS   (3 * MSG_STATE_MS)
#define CORE_UNSEEN_MS   (2 * MSG_STATE_MS)
#define CORE_PROGRESS_MS 250
#define CORE_FRESH_MS    3000
#define CORE_LATE_MS     500
#define CORE_SLEPT_MS    3000
#define CORE_WATCH_MS    1000
#define CORE_WOKEN_MS    10000

/* A job that is evened out is handed out again once all of its leases have
 * given back their part, or so long after: what comes one by one would be
 * rendered in as many launches. */
#define CORE_GATHER_MS 200

/* The part of each new frame in an agent's speed, so that a busy quarter of an
 * hour is forgotten in a minute. */
#define PACE_NEW 0.2

/* A cold launch of Blender takes 1.7 to 2.7 s (measured with 3.4 on two cores);
 * a batch should render at least as long, or launches are most of the work. */
#define LAUNCH_MS 2000

/* A job of so many frames at most goes before those of its user that have so
 * many times as many left, which it delays by a hundredth. */
#define SMALL_FRAMES 10
#define SMALL_PART   100

/* Before three frames nobody knows; renders of one scene seldom spread more. */
#define SPREAD_ASSUMED 0.3

/* One step in progress: what it may use, and where its events go. */
struct step {
    struct core *core;
    const struct cmd *cmd;
    struct arena *arena;
    struct events *out;
    char *why; /* never NULL */
    size_t size;
    const struct job *level_job; /* whose level is known in this sched_run */
    double level_ms;
    struct msg_ack *acks; /* of a STATE, with room for all it may get */
    size_t n_acks;
};

/* step.c: step_emit numbers and dates an event, appends and applies it. */
void step_emit(struct step *step, const struct event *event);

/* step_ranges copies a set into the step's arena, where events may keep it. */
const struct ranges *step_ranges(const struct step *step,
                                 const struct ranges *set);

/* step_refuse writes the reason and returns rc. */
enum rc step_refuse(const struct step *step, enum rc rc, const char *format,
                    ...) __attribute__((format(printf, 3, 4)));

/* step_unneeded orders leases of a job to stop, or to stop early, where frames
 * they still render have no use any more. But one: not that lease (or NULL). */
void step_unneeded(struct step *step, struct job *job,
                   const struct lease *but_one);

/* step_order tells a lease to stop, or to stop early, where that is wanted:
 * its frames have no use any more, or its agent is drained at once. again: also
 * if it was told before. */
void step_order(struct step *step, const struct lease *lease, bool again);

/* step_release ends a lease: what it holds is pending again. */
void step_release(struct step *step, const struct lease *lease,
                  enum fault fault);

/* step_jobs.c: commands of people. */
enum rc step_submit(struct step *step);
enum rc step_cancel(struct step *step);
enum rc step_retry(struct step *step);
enum rc step_patch(struct step *step);
enum rc step_forget(struct step *step);
enum rc step_drain(struct step *step);

/* step_state.c: what agents report; step_time.c: what time brings. */
enum rc step_state(struct step *step);
enum rc step_gone(struct step *step);
enum rc step_expel(struct step *step);
enum rc step_unsent(struct step *step);
enum rc step_committed(struct step *step);
enum rc step_restart(struct step *step);
enum rc step_tick(struct step *step);

/* step_wake gives all agents a whole lease time after the broker did not run,
 * stopped or suspended with its machine: nobody was silent meanwhile. */
void step_wake(struct step *step);

/* step_lane orders a fresh lane for an agent. */
void step_lane(struct step *step, const struct agent *agent);

/* step_unseen replaces a lane whose last batches the agent has not reported for
 * too long, and takes them back: a late copy of them is refused by its lane.
 * Tells whether it did. */
bool step_unseen(struct step *step, struct agent *agent);

/* step_life emits that an agent's life, or what people see of it, changed. */
void step_life(struct step *step, const struct agent *agent,
               enum agent_life life);

/* step_report.c: one lease of a STATE. */
void step_report(struct step *step, struct agent *agent,
                 const struct msg_lease *entry);

/* sched.c: grants what can be granted, until nothing more can. */
void sched_run(struct step *step);
/* sched_check asserts that no agent with room could have work, and that why.h
 * says of each what keeps it from every job with work. */
void sched_check(const struct core *core);
/* sched_place puts a job into the list it belongs in now. */
void sched_place(struct core *core, struct job *job);
/* sched_open emits OPENED for every job that nothing stands in the way of any
 * more: gates that are committed, times that came, jobs waited for. */
void sched_open(struct step *step);
/* sched_gathered opens jobs that have waited long enough for frames to come
 * back; core_gather_due: one that waits is to be looked at then. */
void sched_gathered(struct step *step);
void core_gather_due(struct core *core, int64_t at_ms);
/* sched_most returns how many frames from lo on the agent's node could take in
 * one batch: a classic one knows no steps and breaks on many frames. */
int32_t sched_most(const struct agent *agent, const struct job *job,
                   int32_t lo);
/* sched_lease grants a run of a job's ordinals to an agent that has room. */
void sched_lease(struct step *step, const struct agent *agent,
                 const struct job *job, struct range run, bool copy);
/* sched_welcome tells whether max_agents lets the agent work on the job. */
bool sched_welcome(const struct agent *agent, const struct job *job);
/* sched_able tells whether an agent's machine fits a job at all. */
bool sched_able(const struct agent *agent, const struct job *job);
/* sched_keeps tells whether the agent is kept from the job because one that is
 * less benched could take it; sched_spares, whether it is spared a frame it
 * failed or is to avoid, because one that did not, or did longer ago, could.
 * but_one does not count as one (may be NULL). */
bool sched_keeps(const struct core *core, const struct job *job,
                 const struct agent *agent, const struct agent *but_one);
bool sched_spares(const struct core *core, const struct job *job,
                  const struct agent *agent, int32_t ordinal,
                  const struct agent *but_one);

/* pace.c: what frames take. pace_add counts one that took ms, 0: not known;
 * pace_frame_ms is what one is likely to take; pace_is_known, whether frames of
 * the job itself were seen there; pace_is_new, whether none ever was;
 * pace_spread, deviation over mean of frames on one agent. Launches: from a
 * grant to the first frame; 0 of a classic node, whose frames are not seen
 * without. */
void pace_add(struct core *core, struct agent *agent, struct job *job,
              int64_t ms);
void pace_launched(struct agent *agent, int64_t ms);
double pace_frame_ms(const struct core *core, const struct agent *agent,
                     const struct job *job);
bool pace_is_known(const struct agent *agent, const struct job *job);
bool pace_is_new(const struct agent *agent);
double pace_spread(const struct job *job);
double pace_launch_ms(const struct agent *agent);
uint64_t pace_scene(const char *blend); /* a hash that stands for it */
/* pace_take makes up for frames that a packed job does not have one by one. */
void pace_take(struct core *core, struct job *job);

/* level.c: when things could end, in ms from now. level_ms is when so many more
 * frames of the job could, by all that may render it; LEVEL_FAR_MS: nobody.
 * shared: that leases have not begun is among them. */
#define LEVEL_FAR_MS 1e12
double level_ms(const struct step *step, const struct job *job, double frames,
                bool shared);
/* Of a lease: whether its node tells frame by frame; the frames it has not
 * begun and nobody else renders, added to ret; the end (ordinal) of what is
 * left to it once it has done what it was told; what a frame takes it; when
 * what it has begun and so many more frames could end. */
bool lease_tells(const struct lease *lease);
bool lease_gives(const struct lease *lease); /* told to end early, not yet so */
void lease_unbegun(const struct lease *lease, struct ranges *ret);
int32_t lease_unbegun_count(const struct lease *lease);
bool lease_can_give(
    const struct lease *lease); /* it can be made to end early */
int32_t lease_kept(const struct lease *lease);
double lease_frame_ms(const struct core *core, const struct lease *lease);
double lease_end_ms(const struct core *core, const struct lease *lease,
                    double unbegun);

/* tail.c: tail_run gives agents that have nothing else to do second copies of
 * overdue leases; tail_watch finds those that have become late. */
void tail_run(struct step *step);
void tail_watch(struct step *step);

/* yield.c: has leases end after their frame in work where a job that ought to
 * go before them waits for a slot. */
void yield_run(struct step *step);

/* sched_is_small tells whether a job has so few frames that it may go before a
 * huge one of its user; sched_small_first, whether it does so now. */
bool sched_is_small(const struct job *job);
bool sched_small_first(const struct job *small, const struct job *job);

/* sched_others_able tells whether an agent that is there, not benched and not
 * in names, could take the job. */
bool sched_others_able(const struct core *core, const struct job *job,
                       const struct agent_name *names);

/* job.c */
struct job *job_new(const struct job_spec *spec);
void job_free(struct job **job);
struct attempt *job_attempt(struct job *job, int32_t ordinal);
bool job_depends_on(const struct job *job, const char *id);
bool job_depends_met(const struct core *core, const struct job *job);
int32_t job_max_attempts(const struct core *core, const struct job *job);

/* job_attempts_drop forgets what the frames of a set were charged for; set
 * NULL: all. */
void job_attempts_drop(struct job *job, const struct ranges *set);

/* Texts the core owns. text_own copies one (NULL as ""); text_set makes *own
 * the same text as text, and touches no memory where it is already. */
char *text_own(const char *text);
void text_set(const char **own, const char *text);
char **texts_own(const char *const *texts, size_t n);
void texts_free(char **texts, size_t n);

/* Lists of names: owned, without doubles. */
void names_add(struct agent_name **names, const char *name);
void names_remove(struct agent_name **names, const char *name);
bool names_have(const struct agent_name *names, const char *name);
void names_free(struct agent_name **names);

/* versions_note adds the version that a done frame's files tell of, where they
 * do; at most LIMIT_VERSIONS. versions_text is all of them, in arena;
 * versions_take takes them from such a text. */
void versions_note(struct job *job, const char *files);
const char *versions_text(const struct job *job, struct arena *arena);
void versions_take(struct job *job, const char *text);

/* apply_agent.c: carry out one event each, for apply.c alone. */
void apply_heard(struct core *core, const struct event *event);
void apply_agent(struct core *core, const struct event *event);
void apply_missed(struct core *core, const struct event *event);
void apply_rested(struct core *core, const struct event *event);
void apply_rival(struct core *core, const struct event *event);
void apply_refused(struct core *core, const struct event *event);
void apply_lane(struct core *core, const struct event *event);
void apply_slept(struct core *core, const struct event *event);

/* bench.c, for apply: an agent failed a frame; frames of a set end without a
 * picture, or one with the agent's; an agent is benched; a retry gives all of
 * them another chance; an agent is forgotten. Called before the frames move. */
void bench_failed(struct job *job, struct attempt *attempt, const char *agent);
void bench_ended(struct job *job, const struct ranges *set);
void bench_done(struct job *job, int32_t ordinal, const char *agent);
void bench_set(struct job *job, struct agent *agent);
void bench_clear(struct job *job);
void bench_forget(struct agent *agent);
/* bench_restore puts a standing into a job without open frames; agent: to be
 * benched, or NULL. */
void bench_restore(struct job *job, const struct fate_standing *from,
                   struct agent *agent);
void bench_check(const struct job *job);

/* bench_is_just tells whether the agent failed enough of the job that others
 * rendered to be benched for it. */
bool bench_is_just(const struct job *job, const char *agent);

/* bench_judge benches the agents that others have shown to be at fault. */
void bench_judge(struct step *step, const struct job *job);

/* lost.c: frames under which nodes or agents went down. lost_is_suspect tells
 * whether that happened to a frame; lost_keeps, whether the agent renders
 * another suspect, beside which it must not render this one. */
bool lost_is_suspect(const struct job *job, int32_t ordinal);
bool lost_keeps(const struct agent *agent, const struct job *job,
                int32_t ordinal);

/* For apply: lost_note keeps the frame in work of a lease whose agent is lost;
 * lost_forget drops those of an agent; lost_count counts what was emitted. */
void lost_note(const struct lease *lease);
void lost_forget(struct agent *agent);
void lost_count(struct attempt *attempt, struct agent *agent,
                const struct event *event);

/* lost_node counts the frame during which an agent's node went down, as its
 * report has it; lost_return those an agent had that is back as another
 * process. A frame to which it happened too often is given up. */
void lost_node(struct step *step, const struct lease *lease,
               const struct msg_lease *entry);
void lost_return(struct step *step, const struct agent *agent);

/* fate.c: fate_misfit returns why a job cannot have come to that, or NULL.
 * fate_take makes the job, but for the states of its frames, and its agents
 * what PACKED says, whatever they were. */
const char *fate_misfit(const struct job *job, const struct job_fate *fate);
void fate_take(struct core *core, struct job *job, const struct job_fate *fate);

/* brake.c: brake_missed has an agent rest when batches granted after the last
 * one that came back untried do so as well. brake_watch ends the rest. */
void brake_missed(struct step *step, const struct agent *agent,
                  int64_t granted_ms, enum fault fault);
void brake_watch(struct step *step, const struct agent *agent);

/* lease.c */
struct lease *lease_new(struct core *core, uint64_t id, struct job *job,
                        struct agent *agent);
void lease_free(struct core *core, struct lease *lease);
/* lease_named returns the lease that an agent's report is of, or NULL: the
 * agent's own, and of the job it names, for ids begin anew where a ledger was
 * lost. */
struct lease *lease_named(const struct core *core, const struct agent *agent,
                          const struct msg_lease *entry);
/* lease_needed returns the end (ordinal) of what the lease must still render;
 * lease->lo when nothing. */
int32_t lease_needed(const struct lease *lease);

/* roster.c */
struct agent *agent_get(struct core *core, const char *name); /* or a new one */
void agent_free_all(struct core *core);
void agent_read(struct core *core, struct agent *agent,
                const struct msg_state *state);
/* agent_tags_same tells whether a STATE names the tags it has already. */
bool agent_tags_same(const struct agent *agent, const struct msg_state *state);
/* agent_refresh brings idle list and power up to date. */
void agent_refresh(struct core *core, struct agent *agent);
/* agent_evict drops the longest gone agent that nothing refers to; false when
 * there is none. */
bool agent_evict(struct core *core);
/* agent_has_job tells whether it has a lease of job other than but_one. */
bool agent_has_job(const struct agent *agent, const struct job *job,
                   const struct lease *but_one);

/* core_due makes core_next no later than at_ms. */
void core_due(struct core *core, int64_t at_ms);

#endif
