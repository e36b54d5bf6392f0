/* SPDX-License-Identifier: Apache-2.0
 *
 * What proof_make does. proof_child.c has it done elsewhere.
 */
#include "node/proof.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/picture.h"
#include "node/disk.h"
#include "node/place.h"
#include "node/work.h"

enum { DEPTH_MAX = 8 };

struct found {
    char *path; /* relative to the frame's folder */
    bool main;
    bool kept;
    struct picture picture;
};

struct attempt {
    const struct proof_order *order;
    struct proof_result *result;
    struct found at[LIMIT_FRAME_FILES];
    int n;
};

static bool fail(struct attempt *attempt, enum fault fault, const char *format,
                 ...) __attribute__((format(printf, 3, 4)));

static bool fail(struct attempt *attempt, enum fault fault, const char *format,
                 ...)
{
    char text[LIMIT_REASON];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    attempt->result->fault = fault;
    attempt->result->text = mem_text(text);
    return false;
}

/* A picture cut short on a full disk is the disk's fault. */
static bool fail_unproven(struct attempt *attempt, const char *path,
                          const char *why)
{
    if (disk_is_full(attempt->order->work))
        return fail(attempt, FAULT_DISK_FULL, "disk full: %s: %s", path, why);
    return fail(attempt, FAULT_UNPROVEN, "%s: %s", path, why);
}

static bool path_join(char ret[PATH_MAX], const char *folder, const char *name)
{
    const int n =
        snprintf(ret, PATH_MAX, "%s%s%s", folder, folder[0] ? "/" : "", name);
    return n > 0 && n < PATH_MAX;
}

static bool found_add(struct attempt *attempt, const char *path)
{
    if (attempt->n == LIMIT_FRAME_FILES)
        return fail(attempt, FAULT_UNPROVEN, "more than %d files",
                    LIMIT_FRAME_FILES);
    attempt->at[attempt->n++] = (struct found){.path = mem_text(path)};
    return true;
}

static bool folder_scan(struct attempt *attempt, const char *inside, int depth);

static bool entry_scan(struct attempt *attempt, const char *path, int depth)
{
    char full[PATH_MAX];
    struct stat st;
    if (!path_join(full, attempt->order->work, path) || lstat(full, &st) < 0)
        return fail(attempt, FAULT_UNPROVEN, "%s: cannot be looked at", path);
    if (S_ISDIR(st.st_mode))
        return depth < DEPTH_MAX
                   ? folder_scan(attempt, path, depth + 1)
                   : fail(attempt, FAULT_UNPROVEN, "%s: too deep", path);
    return !picture_is(path) || found_add(attempt, path);
}

static bool folder_scan(struct attempt *attempt, const char *inside, int depth)
{
    char full[PATH_MAX];
    char path[PATH_MAX];
    bool good = path_join(full, attempt->order->work, inside);
    DIR *folder = good ? opendir(full) : NULL;
    if (!folder)
        return fail(attempt, FAULT_UNPROVEN, "%s: %s", full, strerror(errno));
    const struct dirent *entry = NULL;
    while (good && (entry = readdir(folder)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            good = path_join(path, inside, entry->d_name) &&
                   entry_scan(attempt, path, depth);
    closedir(folder);
    return good;
}

static struct found *found_find(struct attempt *attempt, const char *path)
{
    for (int i = 0; i < attempt->n; i++)
        if (strcmp(attempt->at[i].path, path) == 0)
            return &attempt->at[i];
    return NULL;
}

static int found_inside(const struct attempt *attempt, const char *folder)
{
    const size_t len = strlen(folder);
    int n = 0;
    for (int i = 0; i < attempt->n; i++)
        n += strncmp(attempt->at[i].path, folder, len) == 0 &&
             attempt->at[i].path[len] == '/';
    return n;
}

static bool main_check(struct attempt *attempt)
{
    size_t i = 0;
    json_t *path = NULL;
    const json_t *list = json_object_get(attempt->order->rendered, "main");
    json_array_foreach(list, i, path)
    {
        const char *name = json_string_value(path);
        struct found *found = name ? found_find(attempt, name) : NULL;
        if (!found)
            return fail_unproven(attempt, name ? name : "?",
                                 "no such file was written");
        found->main = true;
    }
    return i > 0 || fail(attempt, FAULT_UNPROVEN, "no main picture");
}

static bool outputs_check(struct attempt *attempt)
{
    size_t i = 0;
    json_t *each = NULL;
    const json_t *list = json_object_get(attempt->order->rendered, "outputs");
    json_array_foreach(list, i, each)
    {
        const char *folder = json_string_value(json_object_get(each, "folder"));
        const json_int_t files =
            json_integer_value(json_object_get(each, "files"));
        if (folder && found_inside(attempt, folder) < files)
            return fail_unproven(attempt, folder,
                                 "a File Output node left fewer files than "
                                 "it has inputs");
    }
    return true;
}

static bool size_check(struct attempt *attempt, const struct found *found)
{
    const struct proof_order *order = attempt->order;
    if (!found->main || order->width == 0 || order->height == 0 ||
        (found->picture.width == order->width &&
         found->picture.height == order->height))
        return true;
    return fail(attempt, FAULT_UNPROVEN, "%s: is %dx%d, not %dx%d", found->path,
                found->picture.width, found->picture.height, order->width,
                order->height);
}

static bool all_prove(struct attempt *attempt)
{
    bool thumb = true;
    for (int i = 0; i < attempt->n; i++) {
        struct found *found = &attempt->at[i];
        char full[PATH_MAX];
        char why[LIMIT_REASON] = "its name is too long";
        if (!path_join(full, attempt->order->work, found->path) ||
            !picture_prove(full, thumb && found->main, &found->picture, why,
                           sizeof why))
            return fail_unproven(attempt, found->path, why);
        if (!size_check(attempt, found))
            return false;
        thumb = thumb && !found->main;
    }
    return true;
}

static enum fault fault_of(int reason)
{
    return reason == ENOSPC || reason == EDQUOT ? FAULT_DISK_FULL
                                                : FAULT_UNWRITABLE;
}

static bool found_place(struct attempt *attempt, struct found *found)
{
    char from[PATH_MAX];
    char to[PATH_MAX];
    int reason = ENAMETOOLONG;
    if (path_join(from, attempt->order->work, found->path) &&
        path_join(to, attempt->order->target, found->path))
        reason = place_file(from, to, attempt->order->replace, &found->picture,
                            &found->kept);
    return reason == 0 ||
           fail(attempt, fault_of(reason), "%s: %s", to, strerror(reason));
}

/* The main picture comes last: who sees it sees the others too. */
static bool all_place(struct attempt *attempt)
{
    for (int i = attempt->n - 1; i >= 0; i--)
        if (!found_place(attempt, &attempt->at[i]))
            return false;
    return true;
}

static int found_compare(const void *a, const void *b)
{
    const struct found *left = a;
    const struct found *right = b;
    if (left->main != right->main)
        return left->main ? -1 : 1;
    return strcmp(left->path, right->path);
}

static void result_fill(struct attempt *attempt)
{
    struct proof_result *result = attempt->result;
    for (int i = 0; i < attempt->n; i++) {
        struct found *found = &attempt->at[i];
        char to[PATH_MAX];
        path_join(to, attempt->order->target, found->path);
        json_array_append_new(
            result->files,
            json_pack("{s:s, s:I, s:s, s:b}", "path", to, "bytes",
                      (json_int_t)found->picture.bytes, "sha256",
                      found->picture.sha256, "kept", (int)found->kept));
        if (!result->thumb && found->picture.thumb) {
            result->thumb = found->picture.thumb;
            result->thumb_len = found->picture.thumb_len;
            found->picture.thumb = NULL;
        }
    }
}

void proof_make(const struct proof_order *order, struct proof_result *ret)
{
    struct attempt *attempt = mem_new(sizeof *attempt);
    *ret = (struct proof_result){.files = json_array()};
    attempt->order = order;
    attempt->result = ret;
    bool good = folder_scan(attempt, "", 0) && main_check(attempt) &&
                outputs_check(attempt);
    qsort(attempt->at, (size_t)attempt->n, sizeof *attempt->at, found_compare);
    good = good && all_prove(attempt) && all_place(attempt);
    if (good)
        result_fill(attempt);
    for (int i = 0; i < attempt->n; i++) {
        mem_free(attempt->at[i].path);
        picture_done(&attempt->at[i].picture);
    }
    mem_free(attempt);
    work_remove(order->work);
}

void proof_result_done(struct proof_result *result)
{
    mem_free(result->text);
    json_decref(result->files);
    mem_free(result->thumb);
    *result = (struct proof_result){0};
}
