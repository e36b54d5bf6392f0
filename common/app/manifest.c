/* SPDX-License-Identifier: Apache-2.0
 *
 * A list is read in two passes: each item alone, then all paths side by side,
 * sorted so that a folder stands right before what lies in it.
 */
#include "common/app/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/fields.h"
#include "common/limits.h"
#include "common/mem.h"

#define PREFIX   "blob:"
#define PART_MAX 255 /* bytes of a file's name, the file systems' bound */

static const char hex[] = "0123456789abcdef";

bool blob_is_name(const char *text)
{
    return strspn(text, hex) == BLOB_NAME && text[BLOB_NAME] == '\0';
}

void blob_name(const unsigned char *sum, char ret[BLOB_NAME + 1])
{
    for (size_t i = 0; i < BLOB_NAME / 2; i++) {
        ret[2 * i] = hex[sum[i] >> 4];
        ret[2 * i + 1] = hex[sum[i] & 15];
    }
    ret[BLOB_NAME] = '\0';
}

/* --- One item. --- */

static const char *part_fault(const char *part, size_t len)
{
    if (len == 0)
        return "must not have an empty part";
    if (len > PART_MAX)
        return "must not have a part of more than 255 bytes";
    if (len == 1 && part[0] == '.')
        return "must not have a part `.`";
    if (len == 2 && part[0] == '.' && part[1] == '.')
        return "must not have a part `..`";
    return NULL;
}

static const char *path_fault(const char *path)
{
    if (*path == '/')
        return "must be a relative path";
    if (strchr(path, '\\') != NULL)
        return "must not have a backslash";
    for (const char *part = path;; part++) {
        size_t len = strcspn(part, "/");
        const char *fault = part_fault(part, len);
        part += len;
        if (fault != NULL || *part == '\0')
            return fault;
    }
}

static bool check_path(const json_t *v, const void *unused, char *why,
                       size_t size)
{
    static const size_t most = LIMIT_PATH;
    (void)unused;
    if (!field_text(v, &most, why, size))
        return false;
    const char *fault = path_fault(json_string_value(v));
    return fault == NULL || field_refuse(why, size, "%s", fault);
}

bool blob_field(const json_t *v, const void *unused, char *why, size_t size)
{
    (void)unused;
    if (json_is_string(v) && json_string_length(v) == BLOB_NAME &&
        blob_is_name(json_string_value(v)))
        return true;
    return field_refuse(why, size, "must be %d lower-case hex digits",
                        BLOB_NAME);
}

static const struct field_bounds size_bounds = {0, LIMIT_BLOB};

static const struct field item_fields[] = {
    {"path", check_path, NULL},
    {"sha256", blob_field, NULL},
    {"size", field_integer, &size_bounds},
    {NULL, NULL, NULL},
};

static bool check_item(const json_t *item, char *why, size_t size)
{
    static const struct field *const tables[] = {item_fields, NULL};
    if (!json_is_object(item))
        return field_refuse(why, size, "must be an object");
    if (!fields_check(item, tables, why, size))
        return false;
    for (const struct field *row = item_fields; row->name != NULL; row++)
        if (json_object_get(item, row->name) == NULL)
            return field_refuse(why, size, "field `%s`: missing", row->name);
    return true;
}

static struct manifest_file read_item(const json_t *item)
{
    struct manifest_file file = {
        .path = mem_text(json_string_value(json_object_get(item, "path"))),
        .size = (uint64_t)json_integer_value(json_object_get(item, "size"))};
    memcpy(file.name, json_string_value(json_object_get(item, "sha256")),
           sizeof file.name);
    return file;
}

/* --- All of them. --- */

/* As strcmp, but '/' before every other byte. */
static int compare(const void *one, const void *other)
{
    const char *a = *(const char *const *)one, *b = *(const char *const *)other;
    for (; *a != '\0' && *a == *b; a++)
        b++;
    int left = *a == '/' ? 1 : (unsigned char)*a;
    int right = *b == '/' ? 1 : (unsigned char)*b;
    return left - right;
}

static bool collide(const char *path, const char *next)
{
    size_t len = strlen(path);
    return strncmp(path, next, len) == 0 &&
           (next[len] == '\0' || next[len] == '/');
}

static bool check_places(const struct manifest *manifest, char *why,
                         size_t size)
{
    const char **paths = mem_new(manifest->n * sizeof *paths);
    bool ok = true;
    for (size_t i = 0; i < manifest->n; i++)
        paths[i] = manifest->files[i].path;
    qsort(paths, manifest->n, sizeof *paths, compare);
    for (size_t i = 0; ok && i + 1 < manifest->n; i++)
        if (collide(paths[i], paths[i + 1]))
            ok = field_refuse(why, size, "`%.200s` is there twice, or a folder",
                              paths[i]);
    mem_free(paths);
    return ok;
}

static bool check_first(const struct manifest *manifest, char *why, size_t size)
{
    const char *path = manifest->files[0].path;
    const char *dot = strrchr(path, '.');
    if (dot != NULL && strcmp(dot, ".blend") == 0)
        return true;
    return field_refuse(why, size, "item 1: must be the .blend to open");
}

bool manifest_read(const json_t *list, struct manifest *ret, char *why,
                   size_t size)
{
    struct manifest manifest = {0};
    char reason[LIMIT_REASON];
    size_t n = json_array_size(list);
    *ret = manifest;
    if (n < 1 || n > LIMIT_MANIFEST)
        return field_refuse(why, size, "must be a list of 1 to %d files",
                            LIMIT_MANIFEST);
    manifest.files = mem_new(n * sizeof *manifest.files);
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(list, i);
        if (!check_item(item, reason, sizeof reason)) {
            manifest_done(&manifest);
            return field_refuse(why, size, "item %zu: %s", i + 1, reason);
        }
        manifest.files[manifest.n++] = read_item(item);
    }
    bool ok =
        check_first(&manifest, why, size) && check_places(&manifest, why, size);
    if (ok)
        *ret = manifest;
    else
        manifest_done(&manifest);
    return ok;
}

bool manifest_parse(const char *text, size_t len, struct manifest *ret,
                    char *why, size_t size)
{
    json_t *list = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    bool ok = manifest_read(list, ret, why, size);
    json_decref(list);
    return ok;
}

void manifest_done(struct manifest *manifest)
{
    for (size_t i = 0; i < manifest->n; i++)
        mem_free(manifest->files[i].path);
    mem_free(manifest->files);
    *manifest = (struct manifest){0};
}

json_t *manifest_json(const struct manifest *manifest)
{
    json_t *list = json_array();
    for (size_t i = 0; i < manifest->n; i++) {
        const struct manifest_file *file = &manifest->files[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "path",
                                              file->path, "sha256", file->name,
                                              "size", (json_int_t)file->size));
    }
    return list;
}

/* --- How a job names it. --- */

char *blend_write(const char *name, const struct manifest *manifest)
{
    const char *path = manifest->files[0].path;
    const char *slash = strrchr(path, '/');
    const char *file = slash == NULL ? path : slash + 1;
    size_t size = strlen(PREFIX) + BLOB_NAME + 1 + strlen(file) + 1;
    char *blend = mem_new(size);
    snprintf(blend, size, PREFIX "%s/%s", name, file);
    return blend;
}

bool blend_is_blob(const char *blend, char ret_name[BLOB_NAME + 1])
{
    if (strncmp(blend, PREFIX, strlen(PREFIX)) != 0)
        return false;
    blend += strlen(PREFIX);
    if (strspn(blend, hex) != BLOB_NAME || blend[BLOB_NAME] != '/')
        return false;
    memcpy(ret_name, blend, BLOB_NAME);
    ret_name[BLOB_NAME] = '\0';
    return true;
}
