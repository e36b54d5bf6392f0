/* SPDX-License-Identifier: Apache-2.0
 *
 * One step: take in what Blender printed and said, see to proofs and
 * deadlines, hand out the next frame, and look whether it is over.
 * Why Blender ended is verdict.c's.
 */
#include "node/run.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "common/mem.h"
#include "node/verdict.h"

enum {
    LEAVE_MS = 2000,
    TELL_MS = 500,
    TAKEN_MS = 30000, /* for a Blender that waited to open the job */
};

static int32_t number_of(const struct run *run, int32_t ordinal)
{
    return frames_number(&run->job->spec.frames, ordinal);
}

/* Where a frame's files lie: Blender writes below its own folder, and what it
 * has rendered is moved out of its reach before it is proven. */
static void frame_folder(const struct run *run, const struct work *work,
                         int32_t ordinal, char ret[PATH_MAX])
{
    snprintf(ret, PATH_MAX, "%s/%d", work->path, number_of(run, ordinal));
}

static bool frame_move(const struct run *run, int32_t ordinal,
                       char ret[PATH_MAX])
{
    char from[PATH_MAX];
    frame_folder(run, &run->seat->work, ordinal, from);
    frame_folder(run, &run->work, ordinal, ret);
    return rename(from, ret) == 0;
}

/* -- Starting -------------------------------------------------------------- */

static bool folder_make(struct run *run)
{
    const struct spec *spec = &run->job->spec;
    char name[LIMIT_KEY + 8];
    char fallback[32];
    snprintf(fallback, sizeof fallback, "job-%lld", (long long)run->job->pid);
    spec_name_safe(spec->key ? spec->key : "", fallback, name, sizeof name);
    return work_open(run->site->work_root, name, run->job->pid, &run->work);
}

static void open_order(struct run *run, bool load)
{
    const struct spec *spec = &run->job->spec;
    json_t *job = spec_order(spec, run->site->device);
    json_object_set_new(job, "warm", json_boolean(run->pool->on));
    json_t *order = json_pack("{s:s, s:o, s:s}", "do", "open", "job", job,
                              "trace", spec->trace);
    if (load)
        json_object_set_new(order, "blend", json_string(spec->blend));
    channel_send(&run->seat->blender.channel, order);
}

/* A Blender that ran before the job came: with its .blend open, or a spare. */
static bool seat_take(struct run *run, const char *key, int64_t now_ms)
{
    run->seat = pool_take(run->pool, run->site, key);
    if (!run->seat)
        return false;
    const bool warm = run->seat->key != NULL;
    seat_hear(run->seat, &run->job->output);
    run->seat->blender.heard_ms = now_ms;
    run->job->launch = warm ? LAUNCH_WARM : LAUNCH_SPARE;
    open_order(run, !warm);
    return true;
}

static void seat_launch(struct run *run, int64_t now_ms)
{
    char name[64];
    char why[LIMIT_REASON];
    enum fault fault = FAULT_NONE;
    struct job *job = run->job;
    snprintf(name, sizeof name, "blender-%lld", (long long)job->pid);
    const struct seat_order order = {.name = name,
                                     .blend = job->spec.blend,
                                     .output = &job->output,
                                     .scripts = job->spec.scripts,
                                     .trace = job->spec.trace};
    run->seat = seat_open(run->site, &order, now_ms, &fault, why, sizeof why);
    run->launched = true;
    job->launch = LAUNCH_COLD;
    if (run->seat)
        open_order(run, false);
    else
        job_fail(job, fault, why);
}

/* Scripts of a scene leave traces in a Blender: it serves one job. */
static char *key_of(const struct run *run)
{
    const struct spec *spec = &run->job->spec;
    if (!run->pool->on || spec->scripts)
        return NULL;
    json_t *order = spec_order(spec, run->site->device);
    char *key = seat_key(run->site, spec->blend, spec->folder, order);
    json_decref(order);
    return key;
}

static void seat_find(struct run *run, bool launch, int64_t now_ms)
{
    char *key = key_of(run);
    if (launch || !key || !seat_take(run, key, now_ms))
        seat_launch(run, now_ms);
    if (run->seat && !run->seat->key) {
        run->seat->key = key;
        key = NULL;
    }
    mem_free(key);
}

static void begin(struct run *run, int64_t now_ms)
{
    if (!folder_make(run)) {
        job_fail(run->job, verdict_of_errno(errno), strerror(errno));
        return;
    }
    seat_find(run, false, now_ms);
    run->begun = run->seat != NULL;
}

/* A Blender that was taken from the pool and never opened the job says nothing
 * about the job: one is launched for it. */
static void begin_again(struct run *run, int64_t now_ms)
{
    seat_close(&run->seat);
    run->leaving = false;
    seat_find(run, true, now_ms);
    run->begun = run->seat != NULL;
}

/* -- Ending ---------------------------------------------------------------- */

static void slot_free(struct run *run, int64_t now_ms)
{
    for (int i = 0; i < LIMIT_NODE_PROOFS; i++)
        if (run->proofs[i].pid)
            proof_done(&run->proofs[i]);
    if (run->seat && run->resting && !run->job->ending &&
        !run->seat->blender.reaped)
        pool_give(run->pool, run->seat, now_ms);
    else
        seat_close(&run->seat);
    work_close(&run->work);
    job_end(run->job);
    *run = (struct run){0};
}

void run_take(struct run *run, const struct run_site *site, struct pool *pool,
              struct job *job, int64_t now_ms)
{
    *run = (struct run){.site = site,
                        .job = job,
                        .pool = pool,
                        .work = {NULL, -1},
                        .told_ms = now_ms};
}

/* -- Proofs ---------------------------------------------------------------- */

static struct proof *proof_free(struct run *run)
{
    for (int i = 0; i < LIMIT_NODE_PROOFS; i++)
        if (run->proofs[i].pid == 0)
            return &run->proofs[i];
    return NULL;
}

static bool proofs_run(const struct run *run)
{
    for (int i = 0; i < LIMIT_NODE_PROOFS; i++)
        if (run->proofs[i].pid)
            return true;
    return false;
}

static void proof_begin(struct run *run, int32_t ordinal, const json_t *event)
{
    char work[PATH_MAX];
    char target[PATH_MAX];
    const struct spec *spec = &run->job->spec;
    if (!frame_move(run, ordinal, work)) {
        job_fail(run->job,
                 errno == ENOENT ? FAULT_UNPROVEN : verdict_of_errno(errno),
                 strerror(errno));
        return;
    }
    snprintf(target, sizeof target, "%s%s%s", run->site->output,
             spec->folder[0] ? "/" : "", spec->folder);
    const struct proof_order order = {
        .work = work,
        .target = target,
        .rendered = event,
        .width = run->width,
        .height = run->height,
        .replace = spec->replace,
    };
    struct proof *proof = proof_free(run);
    if (!proof || !proof_start(proof, &order, ordinal))
        job_fail(run->job, FAULT_UNPROVEN, "cannot start a process");
}

/* The version goes with the first file, wherever that is told; not where
 * another's picture was there already. */
static void version_note(const struct job *job, json_t *files)
{
    json_t *first = json_array_get(files, 0);
    if (job->version && !json_is_true(json_object_get(first, "kept")))
        json_object_set_new(first, "blend_sha256", json_string(job->version));
}

static void proof_end(struct run *run, struct proof *proof)
{
    struct proof_result result;
    proof_take(proof, &result);
    if (result.fault == FAULT_NONE) {
        version_note(run->job, result.files);
        job_proved(run->job, proof->ordinal, result.files, result.thumb,
                   result.thumb_len);
        result.thumb = NULL;
    } else {
        char text[LIMIT_REASON];
        snprintf(text, sizeof text, "frame %d: %s",
                 number_of(run, proof->ordinal),
                 result.text ? result.text : "");
        job_fail(run->job, result.fault, text);
    }
    proof_result_done(&result);
    proof_done(proof);
    *proof = (struct proof){0};
}

static void proofs_step(struct run *run)
{
    for (int i = 0; i < LIMIT_NODE_PROOFS; i++)
        if (run->proofs[i].pid && proof_read(&run->proofs[i]))
            proof_end(run, &run->proofs[i]);
}

/* -- Events ---------------------------------------------------------------- */

static int32_t side_of(const json_t *event, const char *name)
{
    const json_int_t side = json_integer_value(json_object_get(event, name));
    return side > 0 && side <= LIMIT_PIXELS ? (int32_t)side : 0;
}

static void text_set(char **text, const json_t *event, const char *name)
{
    mem_free(*text);
    *text = mem_text(json_string_value(json_object_get(event, name)));
}

/* What the load printed is said again for every job that is spared one. */
static void missing_check(struct run *run)
{
    struct job *job = run->job;
    struct seat *seat = run->seat;
    if (!seat->missing)
        seat->missing = mem_text(job->output.missing);
    if (!seat->missing[0] || job->spec.missing_allowed)
        return;
    char text[LIMIT_REASON];
    snprintf(text, sizeof text, "missing linked data: %.*s", LIMIT_REASON - 32,
             seat->missing);
    job_fail(job, FAULT_MISSING_FILE, text);
}

static void on_opened(struct run *run, const json_t *event)
{
    struct job *job = run->job;
    run->opened = true;
    run->keep = json_is_null(json_object_get(event, "cold"));
    run->width = side_of(event, "width");
    run->height = side_of(event, "height");
    text_set(&job->device, event, "device");
    text_set(&job->blender, event, "blender");
    text_set(&job->version, event, "blend_sha256");
    text_set(&job->cold, event, "cold");
    if (!job->cold && !run->pool->on)
        job->cold = mem_text("--warm off");
    json_array_extend(job->warnings, json_object_get(event, "warnings"));
    missing_check(run);
    job_changed(job);
}

static void on_rendered(struct run *run, const json_t *event)
{
    const int32_t ordinal = job_current(run->job);
    if (ordinal < 0)
        return;
    job_rendered(run->job,
                 json_number_value(json_object_get(event, "seconds")));
    proof_begin(run, ordinal, event);
}

/* The driver ends Blender itself after a fault. */
static void on_fault(struct run *run, const json_t *event, int64_t now_ms)
{
    const char *word = json_string_value(json_object_get(event, "fault"));
    const char *text = json_string_value(json_object_get(event, "text"));
    const enum fault fault =
        verdict_refine(fault_find(word), &run->job->output, run->work.path);
    run->leaving = true;
    run->seat->blender.kill_ms = now_ms + LEAVE_MS;
    job_fail(run->job, fault, text ? text : "");
}

/* Files of the open scene have changed: it ends, and another one opens them. */
static void on_stale(struct run *run, int64_t now_ms)
{
    run->leaving = true;
    run->seat->blender.kill_ms = now_ms + LEAVE_MS;
}

static void event_take(struct run *run, const json_t *event, int64_t now_ms)
{
    const char *kind = json_string_value(json_object_get(event, "event"));
    run->seat->blender.heard_ms = now_ms;
    if (!kind)
        return;
    if (strcmp(kind, "opened") == 0)
        on_opened(run, event);
    else if (strcmp(kind, "rendered") == 0)
        on_rendered(run, event);
    else if (strcmp(kind, "fault") == 0)
        on_fault(run, event, now_ms);
    else if (strcmp(kind, "stale") == 0)
        on_stale(run, now_ms);
}

static void events_take(struct run *run, int64_t now_ms)
{
    json_t *event = NULL;
    while ((event = channel_next(&run->seat->blender.channel))) {
        event_take(run, event, now_ms);
        json_decref(event);
    }
}

/* -- Handing out frames ---------------------------------------------------- */

static void frame_give(struct run *run, int32_t ordinal, int64_t now_ms)
{
    char folder[PATH_MAX];
    frame_folder(run, &run->seat->work, ordinal, folder);
    run->seat->frames++;
    output_forget(&run->job->output);
    run->seat->blender.heard_ms = now_ms;
    if (mkdir(folder, 0700) < 0)
        job_fail(run->job, verdict_of_errno(errno), strerror(errno));
    else
        channel_send(&run->seat->blender.channel,
                     json_pack("{s:s, s:i, s:s}", "do", "render", "frame",
                               number_of(run, ordinal), "folder", folder));
}

static void leave(struct run *run, int64_t now_ms)
{
    run->leaving = true;
    run->seat->blender.kill_ms = now_ms + LEAVE_MS;
    channel_send(&run->seat->blender.channel, json_pack("{s:s}", "do", "quit"));
}

static void frames_step(struct run *run, int64_t now_ms)
{
    struct job *job = run->job;
    if (!run->opened || run->leaving || run->resting || job->ending ||
        run->seat->blender.reaped || job_current(job) >= 0 || !proof_free(run))
        return;
    const int32_t ordinal = job_begin(job, now_ms);
    if (ordinal >= 0)
        frame_give(run, ordinal, now_ms);
    else if (run->pool->on && run->keep)
        run->resting = true;
    else
        leave(run, now_ms);
}

/* -- Deadlines ------------------------------------------------------------- */

static int64_t silence_ms(const struct run *run)
{
    const int64_t asked = run->job->spec.silence_ms;
    return asked ? asked : LIMIT_SILENCE_MS;
}

/* Whether it is Blender's turn: a Blender without an order may be silent. */
static bool is_awaited(const struct run *run)
{
    return !run->seat->blender.reaped && !run->seat->blender.stopping &&
           !run->leaving && !run->resting &&
           (!run->opened || job_current(run->job) >= 0);
}

/* When the frame's time is over; 0: never. */
static int64_t timeout_at(const struct run *run)
{
    const int32_t ordinal = job_current(run->job);
    const int64_t timeout_ms = run->job->spec.timeout_ms;
    return ordinal < 0 || timeout_ms == 0
               ? 0
               : run->job->at[ordinal].started_ms + timeout_ms;
}

static void deadlines_step(struct run *run, int64_t now_ms)
{
    if (!is_awaited(run))
        return;
    char text[128];
    const int64_t due_ms = timeout_at(run);
    blender_look(&run->seat->blender, now_ms);
    if (!run->opened && !run->launched &&
        now_ms - run->seat->blender.heard_ms >= TAKEN_MS)
        blender_stop(&run->seat->blender, now_ms); /* another is launched */
    else if (due_ms != 0 && now_ms >= due_ms) {
        snprintf(text, sizeof text, "frame %d took longer than %g s",
                 number_of(run, job_current(run->job)),
                 (double)run->job->spec.timeout_ms / 1000);
        job_fail(run->job, FAULT_TIMEOUT, text);
    } else if (now_ms - run->seat->blender.heard_ms >= silence_ms(run)) {
        snprintf(text, sizeof text, "no output and no CPU time for %g s",
                 (double)silence_ms(run) / 1000);
        job_fail(run->job, FAULT_SILENCE, text);
    }
}

/* Callers hear of progress now and then, not with every sample. */
static void progress_tell(struct run *run, int64_t now_ms)
{
    const double progress = job_progress(run->job);
    if (now_ms - run->told_ms < TELL_MS || fabs(progress - run->told) < 0.001)
        return;
    run->told = progress;
    run->told_ms = now_ms;
    job_changed(run->job);
}

/* -- The whole ------------------------------------------------------------- */

void run_watch(struct run *run, struct poller *poller, int64_t now_ms)
{
    if (!run->job || !run->begun)
        return;
    poller_watch(poller, run->seat->blender.out_fd);
    if (!run->seat->blender.reaped)
        poller_watch(poller, run->seat->blender.channel.fd);
    for (int i = 0; i < LIMIT_NODE_PROOFS; i++)
        if (run->proofs[i].pid)
            poller_watch(poller, run->proofs[i].fd);
    poller_until(poller, blender_tick(&run->seat->blender, now_ms));
    if (!is_awaited(run))
        return;
    poller_until(poller, run->seat->blender.looked_ms + 1000);
    poller_until(poller, timeout_at(run));
}

static void blender_end(struct run *run)
{
    struct job *job = run->job;
    if (job->exit < 0)
        job->exit = verdict_exit(run->seat->blender.status);
    if (run->leaving || run->resting || job->ending)
        return;
    char text[LIMIT_REASON];
    const enum fault fault =
        verdict_make(run->seat->blender.status, run->opened, &job->output, text,
                     sizeof text);
    job_fail(job, fault, text);
}

/* All of a Blender's turns but its end. */
static void blender_step(struct run *run, int64_t now_ms)
{
    blender_read(&run->seat->blender, now_ms);
    events_take(run, now_ms);
    proofs_step(run);
    deadlines_step(run, now_ms);
    progress_tell(run, now_ms);
    frames_step(run, now_ms);
    if (run->job->ending && !run->leaving)
        blender_stop(&run->seat->blender, now_ms);
    blender_tick(&run->seat->blender, now_ms);
}

static void begun_step(struct run *run, int64_t now_ms)
{
    struct job *job = run->job;
    blender_step(run, now_ms);
    const bool stays = run->resting && !job->ending;
    if (!stays && !blender_is_gone(&run->seat->blender))
        return;
    if (!stays && !run->opened && !run->launched && !job->ending) {
        begin_again(run, now_ms);
        return;
    }
    if (stays)
        job->exit = 0;
    else
        blender_end(run);
    if (!proofs_run(run))
        slot_free(run, now_ms);
}

void run_step(struct run *run, bool may_start, int64_t now_ms)
{
    if (!run->job)
        return;
    if (!run->begun && !run->job->ending && may_start)
        begin(run, now_ms);
    if (run->begun)
        begun_step(run, now_ms);
    else if (run->job->ending)
        slot_free(run, now_ms);
}

void run_stop(struct run *run, int64_t now_ms)
{
    if (!run->job)
        return;
    job_stop(run->job);
    run->leaving = false;
    if (run->seat)
        blender_stop(&run->seat->blender, now_ms);
}

bool run_owns(const struct run *run, pid_t pid)
{
    bool owns = run->seat && run->seat->blender.pid == pid;
    for (int i = 0; i < LIMIT_NODE_PROOFS; i++)
        owns = owns || (run->job && run->proofs[i].pid == pid);
    return owns;
}

void run_reaped(struct run *run, pid_t pid, int status, int64_t now_ms)
{
    if (run->seat && run->seat->blender.pid == pid)
        blender_reaped(&run->seat->blender, status, now_ms);
    for (int i = 0; i < LIMIT_NODE_PROOFS; i++)
        if (run->job && run->proofs[i].pid == pid)
            run->proofs[i].reaped = true;
}
