/* SPDX-License-Identifier: Apache-2.0
 *
 * Kept apart from node.c because it knows neither time nor tricks.
 */
#include "tests/fake/launch.h"

#include "common/mem.h"

struct launch *launch_new(int32_t pid, const struct order *order)
{
    struct launch *launch = mem_new(sizeof *launch);
    launch->pid = pid;
    launch->from = order->from;
    launch->to = order->to;
    launch->step = order->step;
    launch->frame = order->from;
    launch->revision = 1;
    launch->folder = mem_text(order->folder);
    launch->name = mem_text(order->name);
    launch->key = mem_text(order->key);
    return launch;
}

void launch_free(struct launch **launch)
{
    for (size_t i = 0; i < (*launch)->n; i++)
        mem_free((*launch)->results[i].path);
    mem_free((*launch)->results);
    mem_free((*launch)->folder);
    mem_free((*launch)->name);
    mem_free((*launch)->key);
    mem_free(*launch);
    *launch = NULL;
}

void launch_add(struct launch *launch, int64_t ms, char *path,
                const struct painted *painted)
{
    launch->results =
        mem_grow(launch->results, launch->n + 1, sizeof *launch->results);
    launch->results[launch->n++] = (struct result){
        .frame = launch->frame, .ms = ms, .path = path, .painted = *painted};
}

static json_t *result_json(const struct result *result)
{
    json_t *files = json_array();
    if (result->path != NULL)
        json_array_append_new(
            files, json_pack("{s:s, s:I, s:s}", "path", result->path, "bytes",
                             (json_int_t)result->painted.bytes, "sha256",
                             result->painted.sha256));
    return json_pack("{s:i, s:s, s:f, s:o}", "frame", (int)result->frame,
                     "state", "done", "seconds", (double)result->ms / 1000,
                     "files", files);
}

static json_t *frames_json(const struct launch *launch)
{
    json_t *frames = json_array();
    for (size_t i = 0; i < launch->n; i++)
        json_array_append_new(frames, result_json(&launch->results[i]));
    return frames;
}

static void put_failure(json_t *json, const struct launch *launch)
{
    bool failed = launch->state == LAUNCH_FAILED;
    json_object_set_new(json, "fault", json_string(failed ? "crash" : "none"));
    json_object_set_new(json, "text",
                        failed ? json_string("the fake crashed") : json_null());
}

json_t *launch_json(const struct launch *launch)
{
    static const char *const words[] = {"running", "completed", "failed",
                                        "stopped"};
    bool on = launch->state == LAUNCH_RUNNING && launch->begun;
    json_t *json = json_pack(
        "{s:i, s:s, s:s, s:i, s:i, s:i, s:o, s:f, s:o}", "pid",
        (int)launch->pid, "key", launch->key, "state", words[launch->state],
        "rev", (int)launch->revision, "to", (int)launch->to, "done",
        (int)launch->n, "frame", on ? json_integer(launch->frame) : json_null(),
        "progress", 0.0, "frames", frames_json(launch));
    put_failure(json, launch);
    return json;
}
