/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts are read a few at a time: removing files may be slow where they lie on
 * another machine, and the loop has other things to do in between.
 */
#include "broker/people/routes/removal.h"

#include "broker/files/picture_file.h"
#include "broker/people/reply.h"
#include "broker/views/view.h"
#include "common/mem.h"

#define FRAMES_AT_ONCE 64
#define LEFT_MAX       100

struct removal {
    int32_t next; /* ordinal */
    json_t *left; /* paths */
};

static void removal_free(void *work)
{
    struct removal *removal = work;
    json_decref(removal->left);
    mem_free(removal);
}

static void remove_file(struct removal *removal, const json_t *entry)
{
    struct picture_file file;
    json_t *path = json_object_get(entry, "path");
    bool gone = picture_file_read(entry, &file) && picture_file_remove(&file);
    if (!gone && json_array_size(removal->left) < LEFT_MAX)
        json_array_append(removal->left, path);
}

static void remove_files(struct removal *removal, const struct frame_fact *fact)
{
    size_t i;
    json_t *entry;
    json_t *files = *fact->files ? json_loads(fact->files, 0, NULL) : NULL;
    json_array_foreach(files, i, entry)
    {
        remove_file(removal, entry);
    }
    json_decref(files);
}

static void forget_job(struct call *call, struct removal *removal)
{
    struct cmd cmd = {.type = CMD_FORGET, .job = call->params.at[0]};
    if (call_command(call, &cmd)) {
        if (json_array_size(removal->left) == 0)
            reply_empty(call, 204);
        else
            reply_json(call, 200, json_pack("{s:O}", "left", removal->left));
    }
    removal_free(removal);
}

/* Answers 404 or 409, NULL, when the job is not there or not over. */
static const struct job *ended_job(struct call *call)
{
    const struct job *job = call_job(call);
    if (job && !job_ended(job)) {
        reply_problem(call, RC_CONFLICT,
                      "the job has not ended; cancel it first");
        return NULL;
    }
    return job;
}

static void step(struct call *call, struct removal *removal);

static void take_facts(void *ctx, const struct frame_fact *facts, size_t n)
{
    struct call *call = ctx;
    struct removal *removal = call_unpark(call);
    for (size_t i = 0; i < n; i++)
        remove_files(removal, &facts[i]);
    step(call, removal);
}

/* The next few frames; the job itself after the last. It may have been retried
 * meanwhile, and then keeps what it has still got. */
static void step(struct call *call, struct removal *removal)
{
    const struct job *job = ended_job(call);
    if (!job) {
        removal_free(removal);
        return;
    }
    int32_t lo = removal->next, rest = job->frames.count - lo;
    if (rest == 0) {
        forget_job(call, removal);
        return;
    }
    removal->next += rest < FRAMES_AT_ONCE ? rest : FRAMES_AT_ONCE;
    const struct call_reading reading = {
        job->id, {lo, removal->next}, take_facts};
    call_read(call, &reading, removal, removal_free);
}

void removal_begin(struct call *call)
{
    struct removal *removal = mem_new(sizeof *removal);
    removal->left = json_array();
    step(call, removal);
}
