/* SPDX-License-Identifier: Apache-2.0
 *
 * Two dialects: the classic node's words, compared as a beginning and only
 * with the status they come with, and our own node's JSON.
 */
#include "worker-agent/node_reply.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/text.h"

/* --- Pieces. --- */

#define EXCERPT 900 /* leaves room for what is said before it */

static const char *excerpt(struct arena *arena, const char *text, size_t len)
{
    return text_excerpt(text, len, arena_new(arena, EXCERPT), EXCERPT);
}

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static int64_t integer_of(const json_t *object, const char *key, int64_t low,
                          int64_t high, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);
    json_int_t number = json_integer_value(value);
    bool fits = json_is_integer(value) && low <= number && number <= high;
    return fits ? (int64_t)number : fallback;
}

/* A number of at least 0 times scale, as far as it fits; 0 for anything else.
 */
static int32_t scaled_of(const json_t *object, const char *key, double scale,
                         int32_t high)
{
    double value = json_number_value(json_object_get(object, key)) * scale;
    if (!(value > 0))
        return 0;
    return value < high ? (int32_t)value : high;
}

static json_t *object_of(const struct web_answer *web)
{
    json_t *json =
        json_loadb(web->body, web->len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(json))
        return json;
    json_decref(json);
    return NULL;
}

static bool begins(const struct web_answer *web, const char *words)
{
    return strncmp(web->body, words, strlen(words)) == 0;
}

/* What went wrong, for people: an error document's detail, else the beginning
 * of a text. */
static const char *reason_of(const struct web_answer *web, struct arena *arena)
{
    json_t *json = object_of(web);
    const char *text = text_of(json, "detail");
    if (text == NULL)
        text = text_of(json, "text");
    const char *reason = text == NULL ? excerpt(arena, web->body, web->len)
                                      : excerpt(arena, text, strlen(text));
    json_decref(json);
    return arena_print(arena, "the node answered %d: %s", web->status, reason);
}

/* --- POST. --- */

static void read_taken(const struct web_answer *web, struct node_answer *ret)
{
    json_t *json = object_of(web);
    ret->word = ANSWER_TAKEN;
    ret->pid = integer_of(json, "pid", 1, INT64_MAX, 0);
    json_decref(json);
}

/* What is wrong with the job's fields here will be wrong the next time; what
 * else a node may refuse for is the node's own affair. */
static void read_refused(const struct web_answer *web, struct node_answer *ret)
{
    bool fields = web->status == 400 || web->status == 422;
    ret->word = ANSWER_REFUSED;
    ret->fault = fields ? FAULT_INVALID : FAULT_REFUSED;
}

static void read_post(bool ours, const struct web_answer *web,
                      struct arena *arena, struct node_answer *ret)
{
    (void)ours;
    (void)arena;
    if (web->status == 202)
        read_taken(web, ret);
    else if (web->status == 503 || web->status == 429)
        ret->word = ANSWER_BUSY;
    else if (web->status >= 400 && web->status < 500)
        read_refused(web, ret);
}

/* --- GET /job/<pid>. --- */

static enum answer_word word_of(const char *state)
{
    static const struct {
        const char *state;
        enum answer_word word;
    } words[] = {
        {"completed", ANSWER_COMPLETED},
        {"failed", ANSWER_FAILED},
        {"stopped", ANSWER_STOPPED},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].state, state) == 0)
            return words[i].word;
    return ANSWER_RUNNING;
}

/* The list of files as compact text; the last ones are left out where all of
 * them are more than may travel, or more than a frame can have. */
static const char *files_of(const json_t *frame, struct arena *arena)
{
    json_t *files = json_copy(json_object_get(frame, "files"));
    const char *ret = "";
    size_t n = json_array_size(files);
    while (n > LIMIT_FRAME_FILES)
        json_array_remove(files, --n);
    for (; n > 0; n--) {
        char *text = json_dumps(files, JSON_COMPACT);
        size_t len = text == NULL ? 0 : strlen(text);
        bool fits = len > 0 && len <= LIMIT_FILES && text_is_plain(text, len);
        if (fits)
            ret = arena_text(arena, text, len);
        free(text);
        if (fits)
            break;
        json_array_remove(files, n - 1);
    }
    json_decref(files);
    return ret;
}

static bool read_frame(const json_t *frame, struct arena *arena,
                       struct answer_frame *ret)
{
    const char *state = text_of(frame, "state");
    if (state == NULL || strcmp(state, "done") != 0)
        return false;
    ret->frame = (int32_t)integer_of(frame, "frame", 0, LIMIT_FRAME_MAX, -1);
    ret->ms = scaled_of(frame, "seconds", 1000, INT32_MAX);
    ret->files = files_of(frame, arena);
    return ret->frame >= 0;
}

static void read_frames(const json_t *list, struct arena *arena,
                        struct node_answer *ret)
{
    size_t n = json_array_size(list);
    if (n > LIMIT_BATCH)
        n = LIMIT_BATCH;
    struct answer_frame *frames = arena_new(arena, n * sizeof *frames);
    for (size_t i = 0; i < n; i++)
        ret->n_frames +=
            read_frame(json_array_get(list, i), arena, &frames[ret->n_frames]);
    ret->frames = frames;
}

/* Progress of the frame at hand, from that of the job. */
static int32_t permille_of(const json_t *json)
{
    double total = json_number_value(json_object_get(json, "total"));
    double done = json_number_value(json_object_get(json, "done"));
    double progress = json_number_value(json_object_get(json, "progress"));
    double permille = (progress * total - done) * 1000;
    if (!(permille > 0))
        return 0;
    return permille < 1000 ? (int32_t)permille : 1000;
}

static void read_job(const json_t *json, const char *state, struct arena *arena,
                     struct node_answer *ret)
{
    const char *text = text_of(json, "text");
    ret->word = word_of(state);
    ret->revision = integer_of(json, "rev", 1, INT64_MAX,
                               integer_of(json, "revision", 1, INT64_MAX, 0));
    ret->to = (int32_t)integer_of(json, "to", 0, LIMIT_FRAME_MAX, -1);
    ret->frame = (int32_t)integer_of(json, "frame", 0, LIMIT_FRAME_MAX, -1);
    ret->permille = permille_of(json);
    ret->text = text == NULL ? "" : excerpt(arena, text, strlen(text));
    read_frames(json_object_get(json, "frames"), arena, ret);
    if (ret->word != ANSWER_FAILED)
        return;
    ret->fault = fault_find(text_of(json, "fault"));
    if (ret->fault == FAULT_NONE)
        ret->fault = FAULT_RENDER;
}

static void read_classic(const struct web_answer *web, struct arena *arena,
                         struct node_answer *ret)
{
    if (web->status == 202) {
        ret->word = ANSWER_RUNNING;
    } else if (web->status == 200 && begins(web, "Job completed")) {
        ret->word = ANSWER_COMPLETED;
    } else if (web->status == 500 && begins(web, "Job failed")) {
        ret->word = ANSWER_FAILED;
        ret->fault = FAULT_RENDER;
        ret->text = excerpt(arena, web->body, web->len);
    }
}

static void read_poll(bool ours, const struct web_answer *web,
                      struct arena *arena, struct node_answer *ret)
{
    json_t *json = ours ? object_of(web) : NULL;
    const char *state = text_of(json, "state");
    bool unknown = web->status == 400 || (ours && web->status == 404);
    if (unknown)
        ret->word = ANSWER_UNKNOWN;
    else if (web->status == 200 && state != NULL)
        read_job(json, state, arena, ret);
    else if (!ours)
        read_classic(web, arena, ret);
    json_decref(json);
}

/* --- PATCH, DELETE. --- */

static void read_trim(bool ours, const struct web_answer *web,
                      struct arena *arena, struct node_answer *ret)
{
    (void)ours;
    (void)arena;
    json_t *json = object_of(web);
    ret->to = (int32_t)integer_of(json, "to", 0, LIMIT_FRAME_MAX, -1);
    if (web->status == 200 && ret->to >= 0)
        ret->word = ANSWER_TRIMMED;
    json_decref(json);
}

static void read_stop(bool ours, const struct web_answer *web,
                      struct arena *arena, struct node_answer *ret)
{
    (void)ours;
    (void)arena;
    bool agreed = web->status == 202 || web->status == 200 ||
                  web->status == 204 || web->status == 409;
    if (agreed)
        ret->word = ANSWER_AGREED;
    else if (web->status == 400 || web->status == 404)
        ret->word = ANSWER_UNKNOWN;
}

/* --- All calls. --- */

void node_reply_read(enum call call, bool ours, const struct web_answer *web,
                     struct arena *arena, struct node_answer *ret)
{
    static void (*const readers[CALLS])(bool, const struct web_answer *,
                                        struct arena *,
                                        struct node_answer *) = {
        [CALL_POST] = read_post,
        [CALL_POLL] = read_poll,
        [CALL_TRIM] = read_trim,
        [CALL_STOP] = read_stop,
    };
    static const enum answer_word words[] = {[WEB_ANSWERED] = ANSWER_ODD,
                                             [WEB_UNSENT] = ANSWER_UNSENT,
                                             [WEB_SILENT] = ANSWER_SILENT,
                                             [WEB_TOO_MUCH] = ANSWER_ODD};
    *ret = (struct node_answer){
        .word = words[web->result], .to = -1, .frame = -1, .text = ""};
    if (web->result == WEB_ANSWERED)
        readers[call](ours, web, arena, ret);
    else
        ret->text =
            arena_print(arena, "no answer from the node: %s", web->text);
    bool wants_text = ret->word == ANSWER_ODD || ret->word == ANSWER_BUSY ||
                      ret->word == ANSWER_REFUSED;
    if (web->result == WEB_ANSWERED && wants_text)
        ret->text = reason_of(web, arena);
}

/* --- GET /info, GET /health. --- */

static void copy_text(char *ret, size_t size, const char *text)
{
    if (text != NULL)
        text_excerpt(text, strlen(text), ret, size);
}

static bool has_feature(const json_t *json, const char *one, const char *other)
{
    size_t i;
    const json_t *item;
    json_array_foreach(json_object_get(json, "features"), i, item)
    {
        const char *word = json_string_value(item);
        if (word != NULL &&
            (strcmp(word, one) == 0 || strcmp(word, other) == 0))
            return true;
    }
    return false;
}

static int32_t count_of(const json_t *json, const char *key)
{
    const json_t *value = json_object_get(json, key);
    if (json_is_array(value))
        return (int32_t)json_array_size(value);
    return (int32_t)integer_of(json, key, 0, INT32_MAX, 0);
}

static const char *blender_of(const json_t *json)
{
    const json_t *blender = json_object_get(json, "blender");
    return json_is_object(blender) ? text_of(blender, "version")
                                   : json_string_value(blender);
}

/* The class stands before the text, as that of a frame: what reads it knows
 * what to do. */
static void read_well(const json_t *json, struct arena *arena,
                      struct node_facts *ret)
{
    const char *fault = text_of(json, "fault");
    ret->well = !json_is_false(json_object_get(json, "healthy"));
    if (ret->well)
        return;
    enum fault kind = fault == NULL ? FAULT_NONE : fault_find(fault);
    const char *text = text_of(json, "reason");
    if (text == NULL)
        text = fault_remedy(kind);
    if (*text == '\0')
        text = "the node says it is not well";
    if (kind == FAULT_NONE)
        copy_text(ret->error, sizeof ret->error, text);
    else
        copy_text(ret->error, sizeof ret->error,
                  arena_print(arena, "%s: %s", fault_word(kind), text));
}

static const struct node_facts *read_facts(const json_t *json,
                                           struct arena *arena)
{
    struct node_facts *ret = arena_new(arena, sizeof *ret);
    ret->can_wait = has_feature(json, "wait", "wait");
    ret->can_trim = has_feature(json, "trim", "patch");
    ret->can_stop = has_feature(json, "stop", "delete");
    ret->can_key = has_feature(json, "key", "key");
    ret->can_logs = has_feature(json, "logs", "logs");
    ret->slots = (int32_t)integer_of(json, "slots", 0, LIMIT_SLOTS, 1);
    ret->cores = count_of(json, "cores");
    ret->memory_mb = count_of(json, "memory_mb");
    ret->gpus = count_of(json, "gpus");
    copy_text(ret->name, sizeof ret->name, text_of(json, "name"));
    copy_text(ret->version, sizeof ret->version, text_of(json, "version"));
    copy_text(ret->blender, sizeof ret->blender, blender_of(json));
    copy_text(ret->device, sizeof ret->device, text_of(json, "device"));
    read_well(json, arena, ret);
    return ret;
}

static void read_info(const struct web_answer *web, struct arena *arena,
                      struct probe_answer *ret)
{
    json_t *json = web->status == 200 ? object_of(web) : NULL;
    if (json_is_array(json_object_get(json, "features"))) {
        ret->word = PROBE_INFORMED;
        ret->facts = read_facts(json, arena);
    }
    json_decref(json);
}

void node_reply_probe(enum probe probe, const struct web_answer *web,
                      struct arena *arena, struct probe_answer *ret)
{
    *ret = (struct probe_answer){.word = PROBE_STRANGE, .text = ""};
    if (web->result == WEB_UNSENT || web->result == WEB_SILENT) {
        ret->word = web->result == WEB_UNSENT ? PROBE_UNSENT : PROBE_SILENT;
        ret->text =
            arena_print(arena, "no answer from the node: %s", web->text);
        return;
    }
    ret->text = "what answers there is no node";
    if (probe == PROBE_INFO)
        read_info(web, arena, ret);
    else if (web->status == 200)
        ret->word = PROBE_ALIVE;
}
