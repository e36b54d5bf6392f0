/* SPDX-License-Identifier: Apache-2.0
 *
 * The sample scene of `frameq dev`. Its file name carries a hash of the script,
 * so that a newer frameq makes a newer scene.
 */
#include "cli/dev/scene.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/beside.h"
#include "common/app/cache_dir.h"
#include "common/app/clock.h"

#define MAKE_MS 120000 /* Blender's first start may be slow */
#define TICK_MS 1000

static bool script_find(char *ret, size_t size)
{
    beside_path("../share/frameq/make_scene.py", ret, size);
    if (access(ret, R_OK) == 0)
        return true;
    snprintf(ret, size, "%s", FRAMEQ_SOURCE_DIR "/deploy/sample/make_scene.py");
    if (access(ret, R_OK) == 0)
        return true;
    fprintf(stderr, "frameq: make_scene.py is not installed: name a scene with "
                    "--blend\n");
    return false;
}

/* FNV-1a of a file's bytes; 0 when it cannot be read. */
static uint64_t file_hash(const char *path)
{
    uint64_t hash = 0xcbf29ce484222325u;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return 0;
    for (int byte; (byte = fgetc(file)) != EOF;)
        hash = (hash ^ (unsigned char)byte) * 0x100000001b3u;
    fclose(file);
    return hash;
}

bool scene_path(char *ret, size_t size)
{
    char script[PATH_MAX], dir[PATH_MAX];
    if (!script_find(script, sizeof script))
        return false;
    if (!cache_dir_open("", dir, sizeof dir)) {
        fprintf(stderr, "frameq: cannot use %s: %s\n", dir, strerror(errno));
        return false;
    }
    int n = snprintf(ret, size, "%s/sample-%016llx.blend", dir,
                     (unsigned long long)file_hash(script));
    return n > 0 && (size_t)n < size;
}

/* Waits for Blender's end, with a sign of life every second on a terminal. */
static enum child_news await(struct children *children, struct child *blender)
{
    struct child *over = NULL;
    bool live = isatty(STDERR_FILENO);
    int64_t start_ms = clock_now_ms(), now_ms = start_ms;
    enum child_news news = CHILD_TIME;
    while (news == CHILD_TIME && now_ms < start_ms + MAKE_MS) {
        news = child_wait(children, NULL, now_ms + TICK_MS, &over);
        now_ms = clock_now_ms();
        if (live)
            fputc('.', stderr);
    }
    if (live)
        fputc('\n', stderr);
    if (news != CHILD_OVER)
        children_end(children, blender->name, 0);
    return news;
}

static bool run_blender(struct children *children, struct child *child,
                        const char *program, const char *path)
{
    char script[PATH_MAX];
    if (!script_find(script, sizeof script))
        return false;
    const char *argv[] = {program,
                          "--background",
                          "--factory-startup",
                          "-noaudio",
                          "--python-exit-code",
                          "3",
                          "--python",
                          script,
                          "--",
                          path,
                          NULL};
    return child_start(children, child, (char *const *)(uintptr_t)argv);
}

enum child_news scene_make(struct children *children, const char *blender,
                           const char *path, const char *log)
{
    char part[PATH_MAX];
    struct stat made;
    if (access(path, R_OK) == 0)
        return CHILD_READY_LINE;
    size_t stem = strlen(path) - strlen(".blend");
    snprintf(part, sizeof part, "%.*s-%d.blend", (int)stem, path,
             (int)getpid());
    fprintf(stderr,
            "frameq: making the sample scene with Blender (this once)\n");
    struct child *child = children_add(children, "blender", log);
    if (!run_blender(children, child, blender, part))
        return CHILD_OVER;
    enum child_news news = await(children, child);
    if (news == CHILD_OVER && stat(part, &made) == 0 && made.st_size > 0 &&
        rename(part, path) == 0)
        return CHILD_READY_LINE;
    unlink(part);
    if (news == CHILD_STOP)
        return CHILD_STOP;
    child_tell(child);
    fprintf(stderr,
            "frameq: no sample scene: is `%s` Blender? Name it with --blender, "
            "or a scene of yours with --blend\n",
            blender);
    return CHILD_OVER;
}
