/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields of POST /job: those that every part of the farm shares
 * (render_fields), and the node's own.
 */
#include "node/spec.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/fields.h"
#include "common/limits.h"
#include "common/mem.h"

enum { NAME_MAX_BYTES = 100 }; /* leaves room for number, view and suffix */

static const size_t name_max = LIMIT_NAME;
static const size_t id_max = LIMIT_ID;
static const size_t key_max = LIMIT_KEY;
static const size_t frames_max = LIMIT_FRAMES_TEXT;
static const struct field_bounds frame_bounds = {0, LIMIT_FRAME_MAX};
static const struct field_bounds step_bounds = {1, LIMIT_FRAME_MAX};

/* A job's id names a folder. */
static bool field_id(const json_t *value, const void *most, char *why,
                     size_t size)
{
    if (!field_text(value, most, why, size))
        return false;
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789_-";
    const char *text = json_string_value(value);
    if (text[strspn(text, allowed)] == '\0')
        return true;
    snprintf(why, size, "may have letters, digits, _ and - only");
    return false;
}

static const struct field job_fields[] = {
    {"from", field_integer, &frame_bounds},
    {"to", field_integer, &frame_bounds},
    {"step", field_integer, &step_bounds},
    {"frames", field_text, &frames_max},
    {"job", field_id, &id_max},
    {"name", field_text, &name_max},
    {"replace", field_bool, NULL},
    {"key", field_text, &key_max},
    {NULL, NULL, NULL},
};

static bool refuse(char *why, size_t size, const char *reason)
{
    snprintf(why, size, "%s", reason);
    return false;
}

static const char *text_of(const struct spec *spec, const char *field)
{
    return json_string_value(json_object_get(spec->body, field));
}

static bool word_is(const struct spec *spec, const char *field,
                    const char *word)
{
    const char *text = text_of(spec, field);
    return text && strcmp(text, word) == 0;
}

static int64_t ms_of(const struct spec *spec, const char *field)
{
    const double seconds =
        json_number_value(json_object_get(spec->body, field));
    return (int64_t)llround(seconds * 1000);
}

static bool span_read(struct spec *spec, char *why, size_t size)
{
    const json_t *from = json_object_get(spec->body, "from");
    const json_t *to = json_object_get(spec->body, "to");
    const json_t *step = json_object_get(spec->body, "step");
    if (!from)
        return refuse(why, size, "field `from`: is missing");
    if (!to)
        return refuse(why, size, "field `to`: is missing");
    if (json_integer_value(from) > json_integer_value(to))
        return refuse(why, size, "field `from`: must not be after `to`");
    frames_span(&spec->frames, (int32_t)json_integer_value(from),
                (int32_t)json_integer_value(to),
                step ? (int32_t)json_integer_value(step) : 1);
    return true;
}

static bool frames_read(struct spec *spec, char *why, size_t size)
{
    const char *text = text_of(spec, "frames");
    if (!text)
        return span_read(spec, why, size);
    if (json_object_get(spec->body, "from") ||
        json_object_get(spec->body, "to") ||
        json_object_get(spec->body, "step"))
        return refuse(why, size,
                      "field `frames`: not together with `from`, `to`, `step`");
    char reason[LIMIT_REASON];
    if (frames_parse(text, &spec->frames, reason, sizeof reason))
        return true;
    snprintf(why, size, "field `frames`: %s", reason);
    return false;
}

void spec_name_safe(const char *name, const char *fallback, char *ret,
                    size_t size)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n = 0;
    for (; *name && n + 1 < size; name++) {
        const bool fits = strchr(allowed, *name) && !(n == 0 && *name == '.');
        if (fits)
            ret[n++] = *name;
        else if (n == 0 || ret[n - 1] != '_')
            ret[n++] = '_';
    }
    ret[n] = '\0';
    if (ret[strspn(ret, "_")] == '\0')
        snprintf(ret, size, "%s", fallback);
}

/* What a plain classic POST renders goes by a name of its own. */
static void names_choose(struct spec *spec)
{
    const char *job = text_of(spec, "job");
    const char *name = text_of(spec, "name");
    const char *output = text_of(spec, "output");
    char safe[NAME_MAX_BYTES];
    char pattern[NAME_MAX_BYTES + 8];
    spec_name_safe(name ? name : "", job ? "frame" : "blender-render", safe,
                   sizeof safe);
    snprintf(pattern, sizeof pattern, "%s_####", safe);
    spec->folder = mem_text(job ? job : "");
    spec->output = mem_text(output ? output : pattern);
}

static bool path_is_under(const char *path, const char *root)
{
    const size_t len = strlen(root);
    if (strcmp(root, "/") == 0)
        return true;
    return strncmp(path, root, len) == 0 && path[len] == '/';
}

/* Resolves path and looks whether it lies under root once all links and ".."
 * are gone. Returns it owned, or NULL with errno: EACCES when it lies outside.
 */
static char *path_resolve(const char *path, const char *root)
{
    char joined[PATH_MAX];
    char real[PATH_MAX];
    const int n = path[0] == '/'
                      ? snprintf(joined, sizeof joined, "%s", path)
                      : snprintf(joined, sizeof joined, "%s/%s", root, path);
    if (n < 0 || (size_t)n >= sizeof joined) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    if (!realpath(joined, real))
        return NULL;
    if (path_is_under(real, root))
        return mem_text(real);
    errno = EACCES;
    return NULL;
}

static bool blend_resolve(struct spec *spec, const struct spec_rules *rules,
                          char *why, size_t size)
{
    const char *path = text_of(spec, "blend");
    int reason = EACCES;
    for (size_t i = 0; i < rules->roots_n && !spec->blend; i++) {
        spec->blend = path_resolve(path, rules->roots[i]);
        if (!spec->blend && errno != EACCES)
            reason = errno;
    }
    if (!spec->blend && rules->blend && strcmp(path, rules->blend) == 0)
        spec->blend = mem_text(path);
    if (spec->blend)
        return true;
    if (reason != EACCES)
        snprintf(why, size, "field `blend`: %s", strerror(reason));
    else if (rules->roots_n == 0)
        snprintf(why, size, "field `blend`: this node has no --blend-root");
    else
        snprintf(why, size, "field `blend`: not under a --blend-root");
    return false;
}

static bool blend_choose(struct spec *spec, const struct spec_rules *rules,
                         char *why, size_t size)
{
    if (text_of(spec, "blend"))
        return blend_resolve(spec, rules, why, size);
    if (!rules->blend)
        return refuse(
            why, size,
            "field `blend`: is missing, and this node has no --blend");
    spec->blend = mem_text(rules->blend);
    return true;
}

static bool scripts_choose(struct spec *spec, const struct spec_rules *rules,
                           char *why, size_t size)
{
    spec->scripts = word_is(spec, "scripts", "on");
    if (spec->scripts && !rules->scripts)
        return refuse(why, size,
                      "field `scripts`: this node has no --allow-scripts");
    return true;
}

static bool body_read(struct spec *spec, const struct spec_rules *rules,
                      char *why, size_t size)
{
    static const struct field *const tables[] = {job_fields, render_fields,
                                                 NULL};
    if (!fields_check(spec->body, tables, why, size) ||
        !frames_read(spec, why, size) ||
        !blend_choose(spec, rules, why, size) ||
        !scripts_choose(spec, rules, why, size))
        return false;
    names_choose(spec);
    const char *key = text_of(spec, "key");
    spec->key = mem_text(key);
    spec->replace = json_is_true(json_object_get(spec->body, "replace"));
    spec->missing_allowed = word_is(spec, "missing_files", "allow");
    spec->timeout_ms = ms_of(spec, "timeout_seconds");
    spec->silence_ms = ms_of(spec, "silence_seconds");
    return true;
}

bool spec_parse(const char *body, size_t len, const struct spec_rules *rules,
                struct spec *ret, char *why, size_t size)
{
    struct spec spec = {.body = fields_parse(body, len, why, size)};
    if (!spec.body)
        return false;
    if (!body_read(&spec, rules, why, size)) {
        spec_done(&spec);
        return false;
    }
    *ret = spec;
    return true;
}

json_t *spec_order(const struct spec *spec, const char *device)
{
    static const char *const passed[] = {
        "scene",      "camera", "view_layers",   "engine",  "samples",
        "resolution", "format", "missing_files", "scripts", "blend_sha256"};
    json_t *order = json_object();
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++) {
        json_t *value = json_object_get(spec->body, passed[i]);
        if (value)
            json_object_set(order, passed[i], value);
    }
    json_object_set_new(order, "output", json_string(spec->output));
    json_object_set_new(order, "device", json_string(device));
    return order;
}

void spec_done(struct spec *spec)
{
    json_decref(spec->body);
    frames_free(&spec->frames);
    mem_free(spec->blend);
    mem_free(spec->folder);
    mem_free(spec->output);
    mem_free(spec->key);
    *spec = (struct spec){0};
}
