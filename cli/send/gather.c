/* SPDX-License-Identifier: Apache-2.0
 *
 * What Blender finds of a .blend (scan.h) becomes a list of files to send.
 */
#include "cli/send/gather.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/client.h"
#include "cli/send/scan.h"
#include "common/app/log.h"
#include "common/mem.h"

#define NAMED 3 /* missing files that are named */

static json_t *scan_blend(struct scan *scan)
{
    char why[512];
    json_t *told = NULL;
    if (scan_run(scan, &told, why, sizeof why) == RUN_WELL)
        return told;
    scan_done(scan->folder);
    log_fatal(CLI_FAILED,
              "`%s` does not tell which files %s needs: %s: name Blender with "
              "--blender, or send its path alone with --upload off",
              scan->blender, scan->blend, why);
}

/* --- What it found. --- */

static void refuse_missing(const struct scan *scan, const json_t *missing)
{
    char names[1024] = "";
    size_t n = json_array_size(missing), len = 0;
    for (size_t i = 0; i < n && i < NAMED; i++)
        len += (size_t)snprintf(names + len, sizeof names - len, "%s%.200s",
                                i == 0 ? "" : ", ",
                                json_string_value(json_array_get(missing, i)));
    scan_done(scan->folder);
    log_fatal(CLI_FAILED,
              "%s names %zu file%s that %s not there (%s%s): put them there, "
              "or render without them by --missing-files allow",
              scan->blend, n, n == 1 ? "" : "s", n == 1 ? "is" : "are", names,
              n > NAMED ? ", ..." : "");
}

static void print_warnings(const json_t *warnings)
{
    size_t i;
    const json_t *warning;
    json_array_foreach((json_t *)(uintptr_t)warnings, i, warning)
        fprintf(stderr, "frameq: warning: %s\n", json_string_value(warning));
}

size_t gather_root(char *const *paths, size_t n)
{
    size_t root = strlen(paths[0]);
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < root; k++)
            if (paths[i][k] != paths[0][k])
                root = k;
    while (root > 0 && paths[0][root - 1] != '/')
        root--;
    return root;
}

static void add_file(struct gathered *ret, const char *source, const char *path)
{
    struct stat facts;
    if (stat(source, &facts) != 0)
        log_fatal(CLI_FAILED, "%s: %s", source, strerror(errno));
    ret->sources[ret->manifest.n] = mem_text(source);
    ret->manifest.files[ret->manifest.n++] = (struct manifest_file){
        .path = mem_text(path), .size = (uint64_t)facts.st_size};
}

/* The .blend is first, in its place, whichever copy of it is sent. */
static void fill(const struct scan *scan, const json_t *told,
                 struct gathered *ret)
{
    char fixed[PATH_MAX];
    const json_t *files = json_object_get(told, "files");
    size_t n = json_array_size(files) + 1;
    char **paths = mem_new(n * sizeof *paths);
    paths[0] = (char *)(uintptr_t)scan->blend;
    for (size_t i = 1; i < n; i++)
        paths[i] =
            (char *)(uintptr_t)json_string_value(json_array_get(files, i - 1));
    size_t root = gather_root(paths, n);
    ret->sources = mem_new(n * sizeof *ret->sources);
    ret->manifest.files = mem_new(n * sizeof *ret->manifest.files);
    scan_path(scan, SCAN_FIXED, fixed);
    bool is_fixed = json_is_true(json_object_get(told, "fixed"));
    add_file(ret, is_fixed ? fixed : paths[0], paths[0] + root);
    for (size_t i = 1; i < n; i++)
        add_file(ret, paths[i], paths[i] + root);
    mem_free(paths);
}

void gather(const char *blend, const char *blender, bool allow,
            struct gathered *ret)
{
    struct scan scan = {.blend = blend, .blender = blender};
    *ret = (struct gathered){0};
    json_t *told = scan_blend(&scan);
    const json_t *missing = json_object_get(told, "missing");
    if (json_array_size(missing) > 0 && !allow)
        refuse_missing(&scan, missing);
    print_warnings(json_object_get(told, "warnings"));
    fill(&scan, told, ret);
    ret->folder = mem_text(scan.folder);
    json_decref(told);
}

void gathered_done(struct gathered *gathered)
{
    for (size_t i = 0; i < gathered->manifest.n; i++)
        mem_free(gathered->sources[i]);
    mem_free(gathered->sources);
    manifest_done(&gathered->manifest);
    if (gathered->folder != NULL)
        scan_done(gathered->folder);
    mem_free(gathered->folder);
    *gathered = (struct gathered){0};
}
