/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of a job: their numbers as text, their states as letters, one of them
 * with all its facts.
 */
#include "broker/views/view.h"

#include <string.h>

#include "common/mem.h"

/* An expression of LIMIT_FRAME_SPANS spans: two numbers, a step and signs. */
#define TEXT_MAX (LIMIT_FRAME_SPANS * 32)

static json_t *take_text(struct buf *text)
{
    json_t *json = json_string(buf_text(text));
    buf_free(text);
    return json;
}

json_t *view_frames_text(const struct frames *frames)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    frames_text(frames, &text);
    return take_text(&text);
}

json_t *view_range_text(const struct frames *frames, int32_t lo, int32_t hi)
{
    struct buf text;
    struct ranges set = {0};
    buf_init(&text, TEXT_MAX);
    ranges_add(&set, lo, hi);
    frames_list(frames, &set, LIMIT_FRAME_SPANS, &text);
    ranges_free(&set);
    return take_text(&text);
}

/* The ordinal a lease is rendering now, or -1. */
static int32_t lease_at(const struct lease *lease)
{
    const struct job *job = lease->job;
    if (lease->frame < 0)
        return -1;
    int32_t ordinal = frames_ordinal(&job->frames, lease->frame);
    bool leased = ordinal >= 0 && ranges_has(&job->in[FRAME_LEASED], ordinal);
    return leased ? ordinal : -1;
}

static void letters_write(const struct job *job, char *letters)
{
    for (int i = 0; i < FRAME_STATES; i++) {
        const struct ranges *in = &job->in[i];
        char letter = frame_letter((enum frame_state)i);
        for (int32_t k = 0; k < in->n; k++)
            memset(letters + in->at[k].lo, letter,
                   (size_t)(in->at[k].hi - in->at[k].lo));
    }
    const struct lease *lease;
    DL_FOREACH2 (job->leases, lease, job_next)
        if (lease_at(lease) >= 0)
            letters[lease_at(lease)] = 'r';
}

json_t *view_states(const struct job *job)
{
    size_t n = (size_t)job->frames.count;
    char *letters = mem_new(n + 1);
    letters_write(job, letters);
    json_t *view = json_object();
    view_put(view, "frames", view_frames_text(&job->frames));
    view_put(view, "states", json_stringn(letters, n));
    view_put(view, "revision", json_integer((json_int_t)job->revision));
    mem_free(letters);
    return view;
}

enum frame_state view_frame_state(const struct job *job, int32_t ordinal)
{
    int i = 0;
    while (i < FRAME_STATES - 1 && !ranges_has(&job->in[i], ordinal))
        i++;
    return (enum frame_state)i;
}

/* The lease that renders a frame now; else the one that holds it; or NULL. */
static const struct lease *lease_of(const struct job *job, int32_t ordinal)
{
    const struct lease *lease, *holder = NULL;
    DL_FOREACH2 (job->leases, lease, job_next) {
        if (lease_at(lease) == ordinal)
            return lease;
        if (ranges_has(&lease->held, ordinal))
            holder = lease;
    }
    return holder;
}

static const char *state_word(enum frame_state state, const struct lease *lease,
                              int32_t ordinal)
{
    if (lease && lease_at(lease) == ordinal)
        return "rendering";
    return frame_word(state);
}

static json_t *view_files(const struct frame_fact *fact)
{
    json_t *files =
        fact && *fact->files ? json_loads(fact->files, 0, NULL) : NULL;
    return files ? files : json_array();
}

/* The last charge, from the core: it knows them whether or not facts came. */
static void put_charges(json_t *frame, const struct job *job, int32_t ordinal)
{
    const struct attempt *attempt = job_attempt_find(job, ordinal);
    json_t *agents = json_array();
    for (const struct agent_name *by = attempt ? attempt->by : NULL; by;
         by = by->next)
        json_array_append_new(agents, json_string(by->name));
    view_put(frame, "attempts", json_integer(attempt ? attempt->charges : 0));
    view_put(frame, "charged", agents);
    view_put(frame, "fault",
             attempt ? json_string(fault_word((enum fault)attempt->fault))
                     : NULL);
    view_put(frame, "text", view_text_or_null(attempt ? attempt->text : NULL));
}

static void put_lease(json_t *frame, const struct lease *lease, bool at_it)
{
    char id[VIEW_LEASE_SIZE];
    view_put(frame, "agent", json_string(lease->agent->name));
    view_put(frame, "lease", json_string(view_lease(lease->id, id)));
    view_put(frame, "progress",
             at_it ? json_real(lease->permille / 1000.0) : json_null());
}

/* Which .blend it is of: the node says so with the first file. */
static void put_files(json_t *frame, const struct frame_fact *fact)
{
    json_t *files = view_files(fact), *first = json_array_get(files, 0);
    json_t *version = json_object_get(first, "blend_sha256");
    view_put(frame, "blend_sha256",
             json_is_string(version) ? json_incref(version) : NULL);
    json_object_del(first, "blend_sha256");
    view_put(frame, "files", files);
}

static void put_fact(json_t *frame, const struct frame_fact *fact)
{
    view_put(frame, "seconds",
             fact && fact->ms > 0 ? view_seconds(fact->ms) : json_null());
    put_files(frame, fact);
    view_put(frame, "blender", view_text_or_null(fact ? fact->blender : NULL));
    view_put(frame, "at", view_time(fact ? fact->at_ms : 0));
    if (!json_object_get(frame, "agent"))
        view_put(frame, "agent", view_text_or_null(fact ? fact->agent : NULL));
}

json_t *view_frame(const struct job *job, int32_t ordinal,
                   const struct frame_fact *fact)
{
    json_t *frame = json_object();
    enum frame_state state = view_frame_state(job, ordinal);
    const struct lease *lease =
        state == FRAME_LEASED ? lease_of(job, ordinal) : NULL;
    view_put(frame, "frame",
             json_integer(frames_number(&job->frames, ordinal)));
    view_put(frame, "state", json_string(state_word(state, lease, ordinal)));
    if (lease)
        put_lease(frame, lease, lease_at(lease) == ordinal);
    put_fact(frame, fact);
    put_charges(frame, job, ordinal);
    return frame;
}
