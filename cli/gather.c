/* SPDX-License-Identifier: Apache-2.0
 *
 * Blender opens the .blend in the background, with its scripts off, and writes
 * what it found (scan.py) into a folder that goes again.
 */
#include "cli/gather.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/doc.h"
#include "common/app/log.h"
#include "common/mem.h"

extern const unsigned char scan_py[];
extern const size_t scan_py_len;

#define NAMED 3 /* missing files that are named */

struct scan {
    const char *blend, *blender;
    char folder[PATH_MAX];
};

static void path_in(const struct scan *scan, const char *name, char *ret)
{
    int n = snprintf(ret, PATH_MAX, "%s/%s", scan->folder, name);
    if (n < 0 || n >= PATH_MAX)
        log_fatal(CLI_FAILED, "%s: %s", scan->folder, strerror(ENAMETOOLONG));
}

static void make_folder(struct scan *scan)
{
    const char *tmp = getenv("TMPDIR");
    char script[PATH_MAX];
    snprintf(scan->folder, sizeof scan->folder, "%.2000s/frameq-submit-XXXXXX",
             tmp != NULL && *tmp == '/' ? tmp : "/tmp");
    if (mkdtemp(scan->folder) == NULL)
        log_fatal(CLI_FAILED, "%s: %s", scan->folder, strerror(errno));
    path_in(scan, "scan.py", script);
    FILE *file = fopen(script, "we");
    if (file == NULL || fwrite(scan_py, 1, scan_py_len, file) != scan_py_len ||
        fclose(file) != 0)
        log_fatal(CLI_FAILED, "%s: %s", script, strerror(errno));
}

static void remove_folder(const char *folder)
{
    static const char *const names[] = {"scan.py", "log", "found",
                                        "fixed.blend"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(path, sizeof path, "%.4000s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

/* --- Blender. --- */

static bool run_blender(const struct scan *scan, const char *found,
                        const char *fixed, const char *log)
{
    char script[PATH_MAX];
    int status = -1;
    pid_t pid = 0;
    posix_spawn_file_actions_t to;
    path_in(scan, "scan.py", script);
    const char *argv[] = {scan->blender,
                          "--background",
                          "--factory-startup",
                          "-noaudio",
                          "-Y",
                          "--python-exit-code",
                          "3",
                          scan->blend,
                          "--python",
                          script,
                          "--",
                          found,
                          fixed,
                          NULL};
    posix_spawn_file_actions_init(&to);
    posix_spawn_file_actions_addopen(&to, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&to, 1, log, O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_adddup2(&to, 1, 2);
    errno = posix_spawnp(&pid, scan->blender, &to, NULL,
                         (char *const *)(uintptr_t)argv, environ);
    posix_spawn_file_actions_destroy(&to);
    if (errno != 0)
        return false;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status == 0 && access(found, R_OK) == 0;
}

/* What Blender printed of errors, for people; its end where it names none. */
static void tell_log(const char *log)
{
    char line[512], last[512] = "";
    bool told = false;
    FILE *file = fopen(log, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        bool error = strstr(line, "rror") != NULL;
        if (error)
            fputs(line, stderr);
        told = told || error;
        if (strcmp(line, "\n") != 0)
            memcpy(last, line, sizeof last);
    }
    if (!told)
        fputs(last, stderr);
    if (file != NULL)
        fclose(file);
}

static json_t *scan_blend(const struct scan *scan)
{
    char found[PATH_MAX], fixed[PATH_MAX], log[PATH_MAX];
    path_in(scan, "found", found);
    path_in(scan, "fixed.blend", fixed);
    path_in(scan, "log", log);
    errno = 0;
    bool ran = run_blender(scan, found, fixed, log);
    json_t *told = ran ? json_load_file(found, 0, NULL) : NULL;
    if (json_is_object(told))
        return told;
    if (errno == 0)
        tell_log(log);
    remove_folder(scan->folder);
    log_fatal(CLI_FAILED,
              "`%s` does not tell which files %s needs%s%s: name Blender with "
              "--blender, or send its path alone with --upload off",
              scan->blender, scan->blend, errno != 0 ? ": " : "",
              errno != 0 ? strerror(errno) : "");
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
    remove_folder(scan->folder);
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
    path_in(scan, "fixed.blend", fixed);
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
    make_folder(&scan);
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
        remove_folder(gathered->folder);
    mem_free(gathered->folder);
    *gathered = (struct gathered){0};
}
