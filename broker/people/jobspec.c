/* SPDX-License-Identifier: Apache-2.0
 *
 * One table says which fields a job has and what each must be; what follows it
 * is the rules between fields (from, to, step against frames) and the filling
 * of the struct. Refuses whatever the table does not name.
 */
#include "broker/people/jobspec.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "broker/views/view.h"
#include "common/app/clock.h"
#include "common/app/fields.h"
#include "common/app/manifest.h"
#include "common/limits.h"

#define FPS_MAX    1000
#define MEMORY_MAX (1 << 30) /* MiB */
#define WHY_SIZE   LIMIT_REASON

static const size_t name_max = LIMIT_NAME, frames_max = LIMIT_FRAMES_TEXT;
static const size_t path_max = LIMIT_PATH, version_max = LIMIT_NAME;
static const size_t time_max = 64;
static const struct field_bounds frame_bounds = {0, LIMIT_FRAME_MAX};
static const struct field_bounds step_bounds = {1, LIMIT_FRAME_MAX};
static const struct field_bounds batch_bounds = {1, LIMIT_BATCH};
static const struct field_bounds priority_bounds = {0, 100};
static const struct field_bounds agents_bounds = {0, LIMIT_AGENTS};
static const struct field_bounds attempts_bounds = {1, LIMIT_ATTEMPTS};
static const struct field_bounds memory_bounds = {1, MEMORY_MAX};
static const struct field_bounds fps_bounds = {1, FPS_MAX};
static const struct field_bounds tags_bounds = {LIMIT_TAGS, LIMIT_TAG};
static const struct field_bounds depends_bounds = {LIMIT_DEPENDS, LIMIT_ID};
static const char *const codecs[] = {"h264", "h265",   "av1", "vp9",
                                     "ffv1", "prores", NULL};

static bool check_batch(const json_t *v, const void *unused, char *why,
                        size_t size)
{
    (void)unused;
    if (json_is_string(v) && strcmp(json_string_value(v), "auto") == 0)
        return true;
    if (!json_is_integer(v))
        return field_refuse(why, size, "must be \"auto\" or a whole number");
    return field_integer(v, &batch_bounds, why, size);
}

/* "" is none, as the job document shows it. */
static bool check_name(const json_t *v, const void *unused, char *why,
                       size_t size)
{
    (void)unused;
    return (json_is_string(v) && json_string_length(v) == 0) ||
           field_text(v, &name_max, why, size);
}

static bool check_time(const json_t *v, const void *unused, char *why,
                       size_t size)
{
    (void)unused;
    if (!field_text(v, &time_max, why, size))
        return false;
    if (clock_parse(json_string_value(v)) >= 0)
        return true;
    return field_refuse(
        why, size, "must be a time such as 2026-11-24T20:00:00Z (RFC 3339)");
}

static bool check_labels(const json_t *v, const void *unused, char *why,
                         size_t size)
{
    const char *key;
    json_t *value;
    char reason[WHY_SIZE];
    (void)unused;
    if (!json_is_object(v))
        return field_refuse(why, size, "must be an object of texts");
    if (json_object_size(v) > LIMIT_LABELS)
        return field_refuse(why, size, "must have at most %d labels",
                            LIMIT_LABELS);
    json_object_foreach((json_t *)(uintptr_t)v, key, value)
    {
        json_t *name = json_string(key);
        bool ok = field_text(name, &name_max, reason, sizeof reason);
        json_decref(name);
        if (!ok)
            return field_refuse(why, size, "a label's name %s", reason);
        if (!field_text(value, &name_max, reason, sizeof reason))
            return field_refuse(why, size, "`%s` %s", key, reason);
    }
    return true;
}

static bool id_is_good(const char *id)
{
    size_t len = strlen(id);
    return len >= LIMIT_ID_MIN && len <= LIMIT_ID &&
           strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                      "0123456789_-") == len;
}

static bool check_depends(const json_t *v, const void *unused, char *why,
                          size_t size)
{
    (void)unused;
    if (!field_texts(v, &depends_bounds, why, size))
        return false;
    for (size_t i = 0; i < json_array_size(v); i++)
        if (!id_is_good(json_string_value(json_array_get(v, i))))
            return field_refuse(why, size, "item %zu: not a job id", i + 1);
    return true;
}

static bool check_url(const json_t *v, const void *unused, char *why,
                      size_t size)
{
    (void)unused;
    if (!field_text(v, &path_max, why, size))
        return false;
    const char *url = json_string_value(v);
    size_t scheme = strncasecmp(url, "http://", 7) == 0    ? 7
                    : strncasecmp(url, "https://", 8) == 0 ? 8
                                                           : 0;
    bool host = scheme > 0 && strcspn(url + scheme, "/?#:@") > 0;
    if (host && strchr(url, ' ') == NULL)
        return true;
    return field_refuse(why, size,
                        "must be a URL such as https://host/path, http or "
                        "https, without blanks");
}

/* A field that is an object with a table of its own. */
static bool check_inner(const json_t *v, const void *table, char *why,
                        size_t size)
{
    const struct field *const tables[] = {table, NULL};
    if (!json_is_object(v))
        return field_refuse(why, size, "must be an object");
    return fields_check(v, tables, why, size);
}

static const struct field requires_fields[] = {
    {"tags", field_texts, &tags_bounds},
    {"memory_mb", field_integer, &memory_bounds},
    {"gpu", field_bool, NULL},
    {"blender", field_text, &version_max},
    {NULL, NULL, NULL},
};

static const struct field movie_fields[] = {
    {"fps", field_number, &fps_bounds},
    {"codec", field_choice, codecs},
    {NULL, NULL, NULL},
};

static const struct field job_fields[] = {
    {"from", field_integer, &frame_bounds},
    {"to", field_integer, &frame_bounds},
    {"step", field_integer, &step_bounds},
    {"frames", field_text, &frames_max},
    {"name", check_name, NULL},
    {"user", field_text, &name_max},
    {"project", field_text, &name_max},
    {"labels", check_labels, NULL},
    {"batch", check_batch, NULL},
    {"priority", field_integer, &priority_bounds},
    {"paused", field_bool, NULL},
    {"pin", field_bool, NULL},
    {"not_before", check_time, NULL},
    {"depends_on", check_depends, NULL},
    {"max_agents", field_integer, &agents_bounds},
    {"requires", check_inner, requires_fields},
    {"max_attempts", field_integer, &attempts_bounds},
    {"movie", check_inner, movie_fields},
    {"notify", check_url, NULL},
    {NULL, NULL, NULL},
};

/* What a body is being read into, and where a reason goes. */
struct reader {
    const json_t *body;
    struct arena *arena;
    struct job_spec *spec;
    char *why;
    size_t size;
};

static const json_t *member(const struct reader *r, const char *name)
{
    return json_object_get(r->body, name);
}

static const char *copy_text(struct arena *arena, const json_t *value)
{
    if (!json_is_string(value))
        return "";
    return arena_text(arena, json_string_value(value),
                      json_string_length(value));
}

static const char *const *copy_texts(struct arena *arena, const json_t *list,
                                     size_t *ret_n)
{
    size_t n = json_array_size(list);
    const char **texts = arena_new(arena, n * sizeof *texts);
    for (size_t i = 0; i < n; i++)
        texts[i] = copy_text(arena, json_array_get(list, i));
    *ret_n = n;
    return texts;
}

static bool read_expression(const struct reader *r)
{
    static const char *const others[] = {"from", "to", "step"};
    char reason[WHY_SIZE];
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (member(r, others[i]))
            return field_refuse(r->why, r->size,
                                "field `%s`: must not stand beside `frames`",
                                others[i]);
    const char *text = json_string_value(member(r, "frames"));
    if (!frames_parse(text, &r->spec->frames, reason, sizeof reason))
        return field_refuse(r->why, r->size, "field `frames`: %s", reason);
    return true;
}

static bool read_span(const struct reader *r)
{
    const json_t *from = member(r, "from"), *to = member(r, "to");
    const json_t *step = member(r, "step");
    if (!from || !to)
        return field_refuse(r->why, r->size, "field `%s`: missing",
                            from ? "to" : "from");
    json_int_t first = json_integer_value(from), last = json_integer_value(to);
    if (first > last)
        return field_refuse(r->why, r->size,
                            "field `from`: must not be greater than `to` "
                            "(%" JSON_INTEGER_FORMAT " > %" JSON_INTEGER_FORMAT
                            ")",
                            first, last);
    frames_span(&r->spec->frames, (int32_t)first, (int32_t)last,
                step ? (int32_t)json_integer_value(step) : 1);
    return true;
}

static int32_t whole(const json_t *value, int32_t fallback)
{
    return json_is_integer(value) ? (int32_t)json_integer_value(value)
                                  : fallback;
}

static int32_t read_batch(const json_t *value)
{
    return value ? whole(value, 0) : -1; /* 0: "auto" */
}

static void read_requires(const struct reader *r)
{
    struct job_spec *spec = r->spec;
    const json_t *needs = member(r, "requires");
    spec->tags =
        copy_texts(r->arena, json_object_get(needs, "tags"), &spec->n_tags);
    spec->memory_mb = whole(json_object_get(needs, "memory_mb"), 0);
    spec->gpu = json_is_true(json_object_get(needs, "gpu"));
    spec->blender = copy_text(r->arena, json_object_get(needs, "blender"));
}

static const char *dump(struct arena *arena, const json_t *object)
{
    struct buf text;
    buf_init(&text, LIMIT_BODY);
    view_write(object, &text);
    const char *copy = arena_text(arena, buf_text(&text), text.len);
    buf_free(&text);
    return copy;
}

/* The render fields alone, as they go to the node. */
static const char *read_render(const struct reader *r)
{
    json_t *render = json_object();
    for (const struct field *row = render_fields; row->name; row++)
        json_object_set(render, row->name, json_object_get(r->body, row->name));
    const char *text = dump(r->arena, render);
    json_decref(render);
    return text;
}

/* All fields as given, but `frames`: the core holds those, and an expression
 * may be as long as a whole document. */
static bool read_doc(const struct reader *r)
{
    json_t *doc = json_copy((json_t *)(uintptr_t)r->body);
    json_object_del(doc, "frames");
    r->spec->doc = dump(r->arena, doc);
    json_decref(doc);
    if (strlen(r->spec->doc) <= LIMIT_SPEC)
        return true;
    return field_refuse(r->why, r->size, "the fields together pass %d bytes",
                        LIMIT_SPEC);
}

static void read_texts(const struct reader *r)
{
    struct job_spec *spec = r->spec;
    spec->id = spec->key = spec->trace = "";
    spec->name = copy_text(r->arena, member(r, "name"));
    spec->user = copy_text(r->arena, member(r, "user"));
    spec->blend = copy_text(r->arena, member(r, "blend"));
    spec->depends =
        copy_texts(r->arena, member(r, "depends_on"), &spec->n_depends);
}

static void read_numbers(const struct reader *r)
{
    struct job_spec *spec = r->spec;
    const json_t *time = member(r, "not_before");
    spec->batch = read_batch(member(r, "batch"));
    spec->priority = whole(member(r, "priority"), 50);
    spec->max_attempts = whole(member(r, "max_attempts"), 0);
    spec->max_agents = whole(member(r, "max_agents"), 0);
    spec->paused = json_is_true(member(r, "paused"));
    spec->not_before_ms = time ? clock_parse(json_string_value(time)) : 0;
}

/* A scene that was uploaded is named by what is in it. */
static bool check_pin(const struct reader *r)
{
    char name[BLOB_NAME + 1];
    if (!json_is_true(member(r, "pin")) || member(r, "blend_sha256") ||
        blend_is_blob(r->spec->blend, name))
        return true;
    return field_refuse(r->why, r->size,
                        "field `pin`: needs the .blend's absolute path as "
                        "`blend`, where the broker can read it, or its "
                        "`blend_sha256`");
}

static bool read_members(const struct reader *r)
{
    static const struct field *const tables[] = {job_fields, render_fields,
                                                 NULL};
    if (!fields_check(r->body, tables, r->why, r->size) || !read_doc(r))
        return false;
    if (member(r, "frames") ? !read_expression(r) : !read_span(r))
        return false;
    read_texts(r);
    read_numbers(r);
    read_requires(r);
    if (!check_pin(r)) {
        jobspec_done(r->spec);
        return false;
    }
    r->spec->render = read_render(r);
    r->spec->plain =
        json_object_size(r->body) == 2 && member(r, "from") && member(r, "to");
    return true;
}

bool jobspec_read(const char *body, size_t len, struct arena *arena,
                  struct job_spec *ret, char *why, size_t size)
{
    struct job_spec spec = {0};
    json_t *object = fields_parse(body, len, why, size);
    if (!object)
        return false;
    const struct reader reader = {object, arena, &spec, why, size};
    bool ok = read_members(&reader);
    json_decref(object);
    if (ok)
        *ret = spec;
    return ok;
}

void jobspec_done(struct job_spec *spec)
{
    frames_free(&spec->frames);
}
