/* SPDX-License-Identifier: Apache-2.0
 *
 * The fields that say what Blender renders, one table for broker and node.
 * Checks form only: whether a scene or a file is there shows on the node.
 */
#include "common/app/fields.h"

#include <stdio.h>
#include <string.h>

#include "common/app/manifest.h"
#include "common/limits.h"

#define SIDE_MAX    65536 /* Blender's own bound of a resolution */
#define PERCENT_MAX 1000
#define SECONDS_MAX 31536000 /* a year */

static const size_t path_max = LIMIT_PATH, name_max = LIMIT_NAME;
static const struct field_bounds layers = {LIMIT_LAYERS, LIMIT_NAME};
static const struct field_bounds samples = {1, 65536};
static const struct field_bounds seconds = {1, SECONDS_MAX};
static const char *const engines[] = {
    "CYCLES", "BLENDER_EEVEE", "BLENDER_EEVEE_NEXT", "BLENDER_WORKBENCH", NULL};
static const char *const formats[] = {
    "PNG", "JPEG", "TIFF", "WEBP", "OPEN_EXR", "OPEN_EXR_MULTILAYER", NULL};
static const char *const fail_allow[] = {"fail", "allow", NULL};
static const char *const off_on[] = {"off", "on", NULL};

/* Reads a number of 1..most without sign or leading zero at *at. */
static bool read_number(const char **at, int most)
{
    int value = 0;
    if (**at == '0')
        return false;
    for (; **at >= '0' && **at <= '9' && value <= most; ++*at)
        value = value * 10 + (**at - '0');
    return value >= 1 && value <= most;
}

static bool is_size(const char *text)
{
    return read_number(&text, SIDE_MAX) && *text++ == 'x' &&
           read_number(&text, SIDE_MAX) && *text == '\0';
}

static bool is_percentage(const char *text)
{
    return read_number(&text, PERCENT_MAX) && *text++ == '%' && *text == '\0';
}

bool field_resolution(const json_t *v, const void *unused, char *why,
                      size_t size)
{
    static const size_t most = 64;
    (void)unused;
    if (!field_text(v, &most, why, size))
        return false;
    const char *text = json_string_value(v);
    if (is_size(text) || is_percentage(text))
        return true;
    snprintf(why, size,
             "must be WIDTHxHEIGHT, each 1 to %d, or 1%% to %d%%, not `%s`",
             SIDE_MAX, PERCENT_MAX, text);
    return false;
}

/* What is wrong with a path to be put under a folder, or NULL. */
static const char *path_fault(const char *path)
{
    if (*path == '/')
        return "must be a relative path";
    if (strchr(path, '\\') != NULL)
        return "must not have a backslash";
    const char *part = path;
    for (;; part += strcspn(part, "/") + 1) {
        if (*part == '/' || *part == '\0')
            return "must not have an empty part";
        if (*part == '.')
            return "must not have a part that starts with a dot";
        if (strchr(part, '/') == NULL)
            break;
    }
    if (strchr(part, '#') == NULL)
        return "must have # in the file name, where the frame number goes";
    return NULL;
}

bool field_output(const json_t *v, const void *unused, char *why, size_t size)
{
    (void)unused;
    if (!field_text(v, &path_max, why, size))
        return false;
    const char *fault = path_fault(json_string_value(v));
    if (fault != NULL)
        snprintf(why, size, "%s", fault);
    return fault == NULL;
}

const struct field render_fields[] = {
    {"blend", field_text, &path_max},
    {"blend_sha256", blob_field, NULL},
    {"scene", field_text, &name_max},
    {"camera", field_text, &name_max},
    {"view_layers", field_texts, &layers},
    {"engine", field_choice, engines},
    {"samples", field_integer, &samples},
    {"resolution", field_resolution, NULL},
    {"format", field_choice, formats},
    {"output", field_output, NULL},
    {"missing_files", field_choice, fail_allow},
    {"scripts", field_choice, off_on},
    {"timeout_seconds", field_number, &seconds},
    {"silence_seconds", field_number, &seconds},
    {NULL, NULL, NULL},
};
