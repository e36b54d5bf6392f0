/* SPDX-License-Identifier: Apache-2.0
 *
 * The core as JSON, for HTTP answers and feed events alike. Pure: reads the
 * core, changes nothing, asks no clock. Everything returned is a new
 * reference, owned by the caller (json_decref).
 */
#ifndef FRAMEQ_BROKER_VIEWS_VIEW_H
#define FRAMEQ_BROKER_VIEWS_VIEW_H

#include <jansson.h>

#include "broker/core/state.h"
#include "broker/ledger/store.h"
#include "common/buf.h"

/* view_put sets a member and takes value; NULL (a text that is no UTF-8)
 * becomes null. */
void view_put(json_t *object, const char *name, json_t *value);

/* view_time gives RFC 3339 in UTC; null for 0. */
json_t *view_time(int64_t ms);
json_t *view_seconds(int64_t ms);
json_t *view_text_or_null(const char *text); /* null for NULL and "" */

/* view_write appends JSON as it goes out: one line, members in order. Returns
 * false when it would pass out's maximum. */
bool view_write(const json_t *json, struct buf *out);

/* view_names: a list of texts. */
json_t *view_names(const struct agent_name *names);

/* view_lease writes a lease id as "<epoch>-<counter>" and returns ret. */
#define VIEW_LEASE_SIZE 48
char *view_lease(uint64_t lease, char ret[VIEW_LEASE_SIZE]);

/* Jobs (view_job.c). view_counts: {"total","pending",...}. view_job: the whole
 * document. */
json_t *view_counts(const struct job *job);
json_t *view_job(const struct core *core, const struct job *job);

/* What hinders a job, as texts for people (view_warnings.c); an empty list
 * when nothing does. */
json_t *view_warnings(const struct core *core, const struct job *job);

/* view_nobody: that no connected agent can take a job, and why, as a text; NULL
 * when one can, sooner or later. */
json_t *view_nobody(const struct core *core, const struct job *job);

/* view_need writes what a job asks of a machine, by its number (why.h): "the
 * tag `gpu`", "5000 MiB of memory". */
#define VIEW_NEED_SIZE 256
void view_need(const struct job *job, size_t need, char ret[VIEW_NEED_SIZE]);

/* Why a job, or one frame of it, is where it is (view_explain.c): in a
 * sentence, then all that keeps agents from it and all that renders it. */
json_t *view_explain(const struct core *core, const struct job *job);
json_t *view_explain_frame(const struct core *core, const struct job *job,
                           int32_t ordinal);

/* view_failed_text gives "2 of 20 frames failed (7, 12)". */
void view_failed_text(const struct job *job, struct buf *out);

/* Frames (view_frames.c). view_frames_text: the job's frames as an expression;
 * view_range_text: those of ordinals [lo, hi). */
json_t *view_frames_text(const struct frames *frames);
json_t *view_range_text(const struct frames *frames, int32_t lo, int32_t hi);

/* view_frame_state: where a frame is. */
enum frame_state view_frame_state(const struct job *job, int32_t ordinal);

/* view_states: {"frames","states","revision"}, one letter a frame. */
json_t *view_states(const struct job *job);

/* view_frame: one frame; fact may be NULL. Its state is that of the core, and
 * "rendering" for a leased frame that its lease is at now. */
json_t *view_frame(const struct job *job, int32_t ordinal,
                   const struct frame_fact *fact);

/* view_failures: {"failures":[...]}: charges and failures of a job, alike ones
 * together (same fault, same text but for numbers, paths, addresses), most
 * frames first (view_failures.c). */
json_t *view_failures(const struct job *job);

/* Time left (view_eta.c): {"low","high"} in seconds, or null while nobody can
 * tell. view_queue_eta: of all that may be rendered now, by all slots; "high"
 * is null where there are frames that nobody can tell of, or not all slots may
 * render. */
json_t *view_job_eta(const struct job *job);
json_t *view_queue_eta(const struct core *core);

/* Farm (view_farm.c). view_agent_why: why an agent takes no work; "" when
 * nothing stands in the way. view_agent: with its leases or, for the feed,
 * without. view_farm: {"state","jobs","frames","agents","slots",
 * "eta_seconds"}. */
const char *view_agent_why(const struct agent *agent);
json_t *view_agent(const struct agent *agent, bool leases);
json_t *view_farm(const struct core *core);

#endif
