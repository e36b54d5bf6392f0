/* SPDX-License-Identifier: Apache-2.0
 *
 * The flags of `frameq submit` and the JSON they make.
 */
#include "cli/send/submit_body.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "common/mem.h"

static const char *is_upload(const char *value)
{
    static const char *const words[] = {"auto", "on", "off", NULL};
    return conf_choice(value, words);
}

const struct setting submit_settings[] = {
    SETTING_BROKER,
    SETTING_JSON,
    {.name = "frames",
     .letter = 'f',
     .argument = "FRAMES",
     .help = "The frames to render: 1-250, 1-100x5, 7,12,30-40."},
    {.name = "name",
     .argument = "NAME",
     .help = "What the job and its files are called (the .blend's name)."},
    {.name = "priority",
     .argument = "N",
     .check = conf_is_count0,
     .help = "0 to 100; 100 goes first, 50 is usual."},
    {.name = "batch",
     .argument = "auto|N",
     .check = conf_is_auto_count,
     .help = "Frames given to an agent at once."},
    {.name = "engine",
     .argument = "ENGINE",
     .help = "CYCLES, BLENDER_EEVEE, ...; else what the .blend says."},
    {.name = "samples",
     .argument = "N",
     .check = conf_is_count,
     .help = "Samples a pixel; else what the .blend says."},
    {.name = "resolution",
     .argument = "WxH|P%",
     .help = "1920x1080 or 50%; else what the .blend says."},
    {.name = "format",
     .argument = "FORMAT",
     .help = "PNG, JPEG, TIFF, WEBP, OPEN_EXR or OPEN_EXR_MULTILAYER."},
    {.name = "output",
     .argument = "PATH",
     .help = "Where under the node's output folder, with #### for the frame "
             "number."},
    {.name = "scene", .argument = "NAME", .help = "Scene in the .blend."},
    {.name = "camera", .argument = "NAME", .help = "Camera in the scene."},
    {.name = "tag",
     .argument = "TAG",
     .many = true,
     .help = "Only on agents that have this tag."},
    {.name = "memory-mb",
     .argument = "N",
     .check = conf_is_count,
     .help = "Only on nodes with so much memory."},
    {.name = "missing-files",
     .argument = "fail|allow",
     .help = "Whether to render when textures or libraries are missing."},
    {.name = "scripts",
     .argument = "off|on",
     .help = "Whether Python scripts in the .blend may run, on nodes that "
             "allow it."},
    {.name = "after",
     .argument = "JOB",
     .many = true,
     .help = "Only once that job is completed."},
    {.name = "upload",
     .argument = "auto|on|off",
     .fallback = "auto",
     .check = is_upload,
     .help = "Whether the broker gets the .blend and all files it needs, or "
             "only its path, for nodes that see the same files. auto: they are "
             "sent to a broker on another machine."},
    {.name = "blender",
     .argument = "PATH",
     .fallback = "blender",
     .help = "The Blender that finds those files."},
    {.name = "pin",
     .help = "Fail the job when the .blend at that path is no longer the one "
             "that is here now."},
    {.name = "paused", .help = "Hold it back until `frameq resume`."},
    {.name = "wait",
     .help = "Stay until it has ended: exit 0 completed, 1 failed or "
             "cancelled."},
    {.name = "fetch",
     .argument = "DIR",
     .help = "Wait, and then bring the pictures into this folder, as `frameq "
             "fetch` does."},
};
const size_t submit_settings_n =
    sizeof submit_settings / sizeof *submit_settings;

enum kind { TEXT, CAPITALS, NUMBER, NUMBER_OR_TEXT };

/* Flags whose value goes into a field as it is; "requires" fields apart. */
static const struct part {
    const char *flag, *field;
    enum kind kind;
} parts[] = {
    {"frames", "frames", TEXT},
    {"name", "name", TEXT},
    {"priority", "priority", NUMBER},
    {"batch", "batch", NUMBER_OR_TEXT},
    {"engine", "engine", CAPITALS},
    {"samples", "samples", NUMBER},
    {"resolution", "resolution", TEXT},
    {"format", "format", CAPITALS},
    {"output", "output", TEXT},
    {"scene", "scene", TEXT},
    {"camera", "camera", TEXT},
    {"missing-files", "missing_files", TEXT},
    {"scripts", "scripts", TEXT},
};

/* Blender's own names are in capitals; png is PNG. */
static json_t *capitals(const char *text)
{
    char *copy = mem_text(text);
    for (char *at = copy; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    json_t *value = json_string(copy);
    mem_free(copy);
    return value;
}

static json_t *part_value(enum kind kind, const char *text)
{
    char *end;
    long long n = strtoll(text, &end, 10);
    bool number = kind >= NUMBER && end != text && *end == '\0';
    if (kind == CAPITALS)
        return capitals(text);
    return number ? json_integer(n) : json_string(text);
}

static json_t *requires_of(const struct conf *conf)
{
    const char *const *tags;
    size_t n = conf_many(conf, "tag", &tags);
    json_t *needs = json_object(), *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(tags[i]));
    if (n > 0)
        json_object_set(needs, "tags", list);
    json_decref(list);
    const char *memory = conf_get(conf, "memory-mb");
    if (memory != NULL)
        json_object_set_new(needs, "memory_mb", part_value(NUMBER, memory));
    return needs;
}

json_t *submit_body(const struct conf *conf)
{
    json_t *body = json_object();
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const char *text = conf_get(conf, parts[i].flag);
        if (text != NULL)
            json_object_set_new(body, parts[i].field,
                                part_value(parts[i].kind, text));
    }
    if (conf_on(conf, "paused"))
        json_object_set_new(body, "paused", json_true());
    if (conf_on(conf, "pin"))
        json_object_set_new(body, "pin", json_true());
    json_t *needs = requires_of(conf);
    if (json_object_size(needs) > 0)
        json_object_set(body, "requires", needs);
    json_decref(needs);
    return body;
}
