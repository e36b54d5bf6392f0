/* SPDX-License-Identifier: Apache-2.0
 *
 * One launch of Blender that tells of a .blend.
 */
#include "cli/send/scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/doc.h"
#include "common/app/log.h"
#include "common/text.h"

#define SCAN_MS 600000 /* a scene of many gigabytes takes minutes to open */

extern const unsigned char scan_py[], driver_py[];
extern const size_t scan_py_len, driver_py_len;

void scan_path(const struct scan *scan, const char *name, char *ret)
{
    int n = snprintf(ret, PATH_MAX, "%s/%s", scan->folder, name);
    if (n < 0 || n >= PATH_MAX)
        log_fatal(CLI_FAILED, "%s: %s", scan->folder, strerror(ENAMETOOLONG));
}

static void put_file(const struct scan *scan, const char *name,
                     const unsigned char *bytes, size_t n)
{
    char path[PATH_MAX];
    scan_path(scan, name, path);
    FILE *file = fopen(path, "we");
    if (file == NULL || fwrite(bytes, 1, n, file) != n || fclose(file) != 0)
        log_fatal(CLI_FAILED, "%s: %s", path, strerror(errno));
}

/* The folder that must not outlive the program. */
static char left[PATH_MAX];

static void leave(void)
{
    scan_done(left);
}

static void make_folder(struct scan *scan)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(scan->folder, sizeof scan->folder, "%.2000s/frameq-scan-XXXXXX",
             tmp != NULL && *tmp == '/' ? tmp : "/tmp");
    if (mkdtemp(scan->folder) == NULL)
        log_fatal(CLI_FAILED, "%s: %s", scan->folder, strerror(errno));
    memcpy(left, scan->folder, sizeof left);
    cli_leave(leave);
    put_file(scan, "scan.py", scan_py, scan_py_len);
    put_file(scan, "driver.py", driver_py, driver_py_len);
}

void scan_done(const char *folder)
{
    static const char *const names[] = {"scan.py", "driver.py", "log", "found",
                                        SCAN_FIXED};
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlinkat(fd, names[i], 0);
    close(fd);
    rmdir(folder);
    cli_leave(NULL);
}

static enum run run_blender(const struct scan *scan, const char *found,
                            const char *log, char *why, size_t size)
{
    char script[PATH_MAX], fixed[PATH_MAX];
    scan_path(scan, "scan.py", script);
    scan_path(scan, SCAN_FIXED, fixed);
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
                          scan->check ? "check" : NULL,
                          NULL};
    int out = open(log, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (out < 0)
        log_fatal(CLI_FAILED, "%s: %s", log, strerror(errno));
    enum run ran = run(argv, out, SCAN_MS, why, size);
    close(out);
    return ran;
}

/* The first line in Blender's words that names an error, else the last. */
static void read_log(const char *path, char *why, size_t size)
{
    char line[512];
    bool error = false;
    FILE *file = fopen(path, "re");
    while (!error && file != NULL && fgets(line, sizeof line, file) != NULL) {
        size_t len = strcspn(line, "\n");
        error = strstr(line, "rror") != NULL;
        if (len > 0)
            text_excerpt(line, len, why, size);
    }
    if (file != NULL)
        fclose(file);
}

/* An engine that is not there is told of in Blender's words alone: the scene
 * has another one by the time that Python can ask. */
static void note_engine(const char *log, json_t *scene)
{
    char line[512], engine[64], name[128];
    FILE *file = fopen(log, "re");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line,
                   "Error: Engine '%63[^']' not available for scene "
                   "'%127[^']'",
                   engine, name) == 2 &&
            doc_is(scene, "name", name))
            json_object_set_new(scene, "engine_unknown", json_string(engine));
    if (file != NULL)
        fclose(file);
}

enum run scan_run(struct scan *scan, json_t **ret, char *why, size_t size)
{
    char found[PATH_MAX], log[PATH_MAX];
    make_folder(scan);
    scan_path(scan, "found", found);
    scan_path(scan, "log", log);
    enum run ran = run_blender(scan, found, log, why, size);
    *ret = ran == RUN_WELL ? json_load_file(found, 0, NULL) : NULL;
    if (ran == RUN_FAILED || (ran == RUN_WELL && *ret == NULL)) {
        ran = RUN_FAILED;
        read_log(log, why, size);
    }
    note_engine(log, json_object_get(*ret, "scene"));
    return ran;
}
