/* SPDX-License-Identifier: Apache-2.0
 *
 * A file goes from old (as it was before the batch) to changed, and once it
 * has kept still from one listing to the next, or no more can come, to whole
 * or broken. A frame is done when all its changed files are whole and it is
 * sure that no more of them follow.
 */
#include "worker-agent/proof.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utlist.h>

#include "common/app/clock.h"
#include "common/app/conf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/picture.h"
#include "common/text.h"

#define LIST_MS    250 /* between listings */
#define LIST_SHARE 20  /* and this many times what a listing takes */
#define PATH_SIZE  4096

/* What changes when a file does. */
struct print {
    dev_t dev;
    ino_t ino;
    off_t size;
    int64_t changed_ns, written_ns;
};

enum file_state { FILE_OLD, FILE_CHANGED, FILE_WHOLE, FILE_BROKEN };

struct file {
    char *name;
    int32_t frame;
    bool view;  /* one of several files of its frame */
    bool still; /* has not changed between the last two listings */
    struct print print;
    enum file_state state;
    uint64_t bytes; /* of a whole one, as is sha256 */
    char sha256[65];
    struct file *next;
};

struct watch {
    uint64_t lease;
    struct frame_run run;
    int64_t since_ms; /* start of the frame that is next */
    bool *told;       /* by place in run */
    bool settling;    /* no more files come */
    bool listed;      /* since settling */
    struct file *files;
    struct watch *prev, *next;
};

struct proof {
    char *dir;
    int fd;
    int64_t list_ms; /* when to list again */
    struct watch *watches;
    char files[LIMIT_FILES + 1]; /* of the last news */
};

struct proof *proof_open(const char *dir, char *why, size_t size)
{
    struct proof *proof = mem_new(sizeof *proof);
    proof->fd = -1;
    if (conf_make_dir(dir))
        proof->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char *path = proof->fd < 0 ? NULL : realpath(dir, NULL);
    proof->dir = mem_text(path);
    free(path);
    if (proof->dir != NULL)
        return proof;
    snprintf(why, size, "cannot open %s: %s", dir, strerror(errno));
    proof_close(&proof);
    return NULL;
}

static void watch_free(struct proof *proof, struct watch *watch)
{
    struct file *file, *next;
    DL_DELETE(proof->watches, watch);
    LL_FOREACH_SAFE (watch->files, file, next) {
        mem_free(file->name);
        mem_free(file);
    }
    mem_free(watch->told);
    mem_free(watch);
}

void proof_close(struct proof **proof)
{
    if (*proof == NULL)
        return;
    while ((*proof)->watches != NULL)
        watch_free(*proof, (*proof)->watches);
    if ((*proof)->fd >= 0)
        close((*proof)->fd);
    mem_free((*proof)->dir);
    mem_free(*proof);
    *proof = NULL;
}

static struct watch *watch_find(const struct proof *proof, uint64_t lease)
{
    struct watch *watch;
    DL_FOREACH (proof->watches, watch)
        if (watch->lease == lease)
            return watch;
    return NULL;
}

static int32_t place_of(const struct watch *watch, int32_t frame)
{
    return (frame - watch->run.from) / watch->run.step;
}

static int32_t last_place(const struct watch *watch)
{
    return place_of(watch, watch->run.to);
}

/* --- Listing. --- */

static int64_t to_ns(const struct timespec *at)
{
    return (int64_t)at->tv_sec * 1000000000 + at->tv_nsec;
}

static bool print_take(int dir, const char *name, struct print *ret)
{
    struct stat st;
    if (fstatat(dir, name, &st, 0) != 0 || !S_ISREG(st.st_mode))
        return false;
    *ret = (struct print){.dev = st.st_dev,
                          .ino = st.st_ino,
                          .size = st.st_size,
                          .changed_ns = to_ns(&st.st_ctim),
                          .written_ns = to_ns(&st.st_mtim)};
    return true;
}

static bool print_equal(const struct print *a, const struct print *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
           a->changed_ns == b->changed_ns && a->written_ns == b->written_ns;
}

static struct file *file_get(struct watch *watch, const char *name)
{
    struct file *file;
    LL_FOREACH (watch->files, file)
        if (strcmp(file->name, name) == 0)
            return file;
    file = mem_new(sizeof *file);
    file->name = mem_text(name);
    LL_PREPEND(watch->files, file);
    return file;
}

static void file_see(struct proof *proof, struct watch *watch, const char *name,
                     enum file_state state)
{
    bool view = false;
    struct print print;
    int32_t frame = frame_name_read(name, &watch->run, &view);
    if (frame < 0 || !print_take(proof->fd, name, &print))
        return;
    struct file *file = file_get(watch, name);
    file->frame = frame;
    file->view = view;
    file->still = print_equal(&file->print, &print);
    if (!file->still) {
        file->state = state;
        file->print = print;
    }
}

static void list_into(struct proof *proof, enum file_state state,
                      struct watch *only)
{
    int fd = openat(proof->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (dir == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        struct watch *watch;
        DL_FOREACH (proof->watches, watch)
            if (only == NULL || only == watch)
                file_see(proof, watch, entry->d_name, state);
    }
    closedir(dir);
}

static void list(struct proof *proof)
{
    int64_t began_ms = clock_now_ms();
    struct watch *watch;
    list_into(proof, FILE_CHANGED, NULL);
    DL_FOREACH (proof->watches, watch)
        watch->listed = watch->settling;
    int64_t now_ms = clock_now_ms();
    int64_t share_ms = LIST_SHARE * (now_ms - began_ms);
    proof->list_ms = now_ms + (share_ms > LIST_MS ? share_ms : LIST_MS);
}

/* --- Watches. --- */

static struct watch *watch_add(struct proof *proof, uint64_t lease,
                               const struct frame_run *run, int64_t since_ms)
{
    struct watch *watch = mem_new(sizeof *watch);
    watch->lease = lease;
    watch->run = *run;
    watch->since_ms = since_ms;
    watch->told = mem_new((size_t)last_place(watch) + 1);
    DL_APPEND(proof->watches, watch);
    return watch;
}

void proof_begin(struct proof *proof, uint64_t lease,
                 const struct frame_run *run, int64_t now_ms)
{
    if (watch_find(proof, lease) == NULL)
        list_into(proof, FILE_OLD, watch_add(proof, lease, run, now_ms));
}

void proof_resume(struct proof *proof, uint64_t lease,
                  const struct frame_run *run, int64_t posted_ms)
{
    struct file *file;
    if (watch_find(proof, lease) != NULL)
        return;
    struct watch *watch = watch_add(proof, lease, run, posted_ms);
    list_into(proof, FILE_OLD, watch);
    LL_FOREACH (watch->files, file)
        if (file->print.written_ns / 1000000 >= posted_ms)
            file->state = FILE_CHANGED;
}

bool proof_settle(struct proof *proof, uint64_t lease)
{
    struct watch *watch = watch_find(proof, lease);
    if (watch == NULL)
        return false;
    watch->settling = true;
    proof->list_ms = 0;
    return true;
}

void proof_end(struct proof *proof, uint64_t lease)
{
    struct watch *watch = watch_find(proof, lease);
    if (watch != NULL)
        watch_free(proof, watch);
}

/* --- Deciding. --- */

static bool frame_begun(const struct watch *watch, int32_t frame)
{
    const struct file *file;
    LL_FOREACH (watch->files, file)
        if (file->frame == frame && file->state != FILE_OLD)
            return true;
    return false;
}

/* No more of this frame's files come: the node is past it. */
static bool frame_is_past(const struct watch *watch, int32_t frame)
{
    return watch->listed || frame_begun(watch, frame + watch->run.step);
}

static bool file_is_due(const struct watch *watch, const struct file *file)
{
    return file->state == FILE_CHANGED &&
           (file->still || frame_is_past(watch, file->frame));
}

/* All files of the frame that have changed are whole, there is one, and no
 * other is to come. */
static bool frame_is_done(const struct watch *watch, int32_t frame)
{
    const struct file *file;
    int32_t whole = 0;
    bool view = false;
    LL_FOREACH (watch->files, file) {
        if (file->frame != frame || file->state == FILE_OLD)
            continue;
        if (file->state != FILE_WHOLE)
            return false;
        whole++;
        view = view || file->view;
    }
    return whole > 0 && (!view || frame_is_past(watch, frame));
}

static void prove(const struct proof *proof, struct file *file)
{
    char path[PATH_SIZE], why[128];
    struct picture picture = {0};
    int n = snprintf(path, sizeof path, "%s/%s", proof->dir, file->name);
    bool whole = n < (int)sizeof path &&
                 picture_prove(path, false, &picture, why, sizeof why);
    file->state = whole ? FILE_WHOLE : FILE_BROKEN;
    if (!whole)
        return;
    file->bytes = picture.bytes;
    memcpy(file->sha256, picture.sha256, sizeof file->sha256);
    picture_done(&picture);
}

/* Decodes the next file that is due. Returns whether there was one. */
static bool prove_next(struct proof *proof)
{
    struct watch *watch;
    struct file *file;
    DL_FOREACH (proof->watches, watch)
        LL_FOREACH (watch->files, file)
            if (file_is_due(watch, file)) {
                prove(proof, file);
                return true;
            }
    return false;
}

/* --- News. --- */

static json_t *file_json(const struct proof *proof, const struct file *file)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", proof->dir, file->name);
    return json_pack("{s:s, s:I, s:s}", "path", path, "bytes",
                     (json_int_t)file->bytes, "sha256", file->sha256);
}

/* The frame's files as JSON; those that no longer fit are left out. */
static const char *frame_files(struct proof *proof, const struct watch *watch,
                               int32_t frame)
{
    const struct file *file;
    json_t *list_json = json_array();
    proof->files[0] = '\0';
    LL_FOREACH (watch->files, file) {
        if (file->frame != frame || file->state != FILE_WHOLE)
            continue;
        json_array_append_new(list_json, file_json(proof, file));
        char *text = json_dumps(list_json, JSON_COMPACT);
        bool fits = text != NULL && strlen(text) <= LIMIT_FILES &&
                    text_is_plain(text, strlen(text));
        if (fits)
            snprintf(proof->files, sizeof proof->files, "%s", text);
        free(text);
        if (!fits)
            break;
    }
    json_decref(list_json);
    return proof->files;
}

/* The time from the end of the frame before to the end of this one. */
static int32_t frame_ms(struct watch *watch, int32_t frame)
{
    const struct file *file;
    int64_t end_ms = 0;
    LL_FOREACH (watch->files, file)
        if (file->frame == frame && file->state == FILE_WHOLE &&
            file->print.written_ns / 1000000 > end_ms)
            end_ms = file->print.written_ns / 1000000;
    int64_t ms = end_ms - watch->since_ms;
    watch->since_ms = end_ms;
    return ms > 0 && ms <= INT32_MAX ? (int32_t)ms : 0;
}

static bool tell_frame(struct proof *proof, struct watch *watch,
                       struct proof_news *ret)
{
    for (int32_t i = 0; i <= last_place(watch); i++) {
        int32_t frame = watch->run.from + i * watch->run.step;
        if (watch->told[i] || !frame_is_done(watch, frame))
            continue;
        watch->told[i] = true;
        *ret = (struct proof_news){.lease = watch->lease, .frame = frame};
        ret->ms = frame_ms(watch, frame);
        ret->files = frame_files(proof, watch, frame);
        return true;
    }
    return false;
}

static bool tell(struct proof *proof, struct proof_news *ret)
{
    struct watch *watch;
    DL_FOREACH (proof->watches, watch)
        if (tell_frame(proof, watch, ret))
            return true;
    DL_FOREACH (proof->watches, watch) {
        if (!watch->listed)
            continue;
        *ret = (struct proof_news){.lease = watch->lease, .settled = true};
        watch->settling = watch->listed = false;
        return true;
    }
    return false;
}

/* A settled lease is told only when nothing of it is left to decode, since
 * files are due at once then. */
bool proof_step(struct proof *proof, int64_t now_ms, struct proof_news *ret)
{
    if (proof->watches == NULL)
        return false;
    if (now_ms >= proof->list_ms)
        list(proof);
    else if (!prove_next(proof))
        return tell(proof, ret);
    return false;
}

static bool has_work(const struct proof *proof)
{
    const struct watch *watch;
    const struct file *file;
    DL_FOREACH (proof->watches, watch) {
        if (watch->listed)
            return true;
        LL_FOREACH (watch->files, file)
            if (file_is_due(watch, file) ||
                (!watch->told[place_of(watch, file->frame)] &&
                 frame_is_done(watch, file->frame)))
                return true;
    }
    return false;
}

int64_t proof_next(const struct proof *proof)
{
    if (proof->watches == NULL)
        return INT64_MAX;
    return has_work(proof) ? 0 : proof->list_ms;
}
