/* SPDX-License-Identifier: Apache-2.0
 *
 * A hash of ids, and the file. A new file takes the place of the old one whole.
 */
#include "broker/hooks/hook_told.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/hooks/hook_post.h"
#include "common/app/log.h"
#include "common/buf.h"
#include "common/table.h"

#define TIDY 10000 /* lines more than are live */

struct line {
    char id[HOOK_ID_SIZE];
    UT_hash_handle hh;
};

struct told {
    char path[PATH_MAX];
    int fd; /* of the file, to add to */
    struct line *lines;
    size_t added; /* since it was tidied */
};

bool told_has(const struct told *told, const char *id)
{
    struct line *line;
    HASH_FIND_STR(told->lines, id, line);
    return line != NULL;
}

static void keep(struct told *told, const char *id)
{
    if (told_has(told, id))
        return;
    struct line *line = mem_new(sizeof *line);
    snprintf(line->id, sizeof line->id, "%s", id);
    HASH_ADD_STR(told->lines, id, line);
    told->added++;
}

static bool write_text(const struct told *told, int fd, const char *text,
                       size_t len)
{
    if (write(fd, text, len) == (ssize_t)len)
        return true;
    log_warn("webhooks_not_noted", "file=%s reason=%s", log_quoted(told->path),
             log_quoted(strerror(errno)));
    return false;
}

void told_add(struct told *told, const char *id)
{
    char line[HOOK_ID_SIZE + 1];
    int n = snprintf(line, sizeof line, "%s\n", id);
    keep(told, id);
    (void)write_text(told, told->fd, line, (size_t)n);
}

static void read_lines(struct told *told, FILE *file)
{
    char line[HOOK_ID_SIZE + 1];
    while (fgets(line, sizeof line, file)) {
        size_t len = strcspn(line, "\n");
        if (line[len] == '\0')
            continue; /* cut off, or too long */
        line[len] = '\0';
        if (strchr(line, '.'))
            keep(told, line);
    }
}

struct told *told_open(const char *dir, char *why, size_t size)
{
    struct told *told = mem_new(sizeof *told);
    snprintf(told->path, sizeof told->path, "%s/webhooks.told", dir);
    told->fd = open(told->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    FILE *file = told->fd < 0 ? NULL : fopen(told->path, "re");
    if (!file) {
        snprintf(why, size, "cannot open %s: %s", told->path, strerror(errno));
        told_close(&told);
        return NULL;
    }
    read_lines(told, file);
    fclose(file);
    return told;
}

void told_close(struct told **told_ref)
{
    struct told *told = *told_ref;
    struct line *line, *next;
    if (!told)
        return;
    HASH_ITER (hh, told->lines, line, next) {
        HASH_DELETE(hh, told->lines, line);
        mem_free(line);
    }
    if (told->fd >= 0)
        close(told->fd);
    mem_free(told);
    *told_ref = NULL;
}

static bool write_lines(const struct told *told, int fd)
{
    struct buf text;
    const struct line *line;
    buf_init(&text, (HASH_COUNT(told->lines) + 1) * sizeof line->id);
    for (line = told->lines; line; line = line->hh.next)
        buf_print(&text, "%s\n", line->id);
    bool ok = write_text(told, fd, buf_text(&text), text.len);
    buf_free(&text);
    return ok;
}

static void write_anew(struct told *told)
{
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s.new", told->path);
    int fd =
        open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        return;
    if (!write_lines(told, fd) || rename(path, told->path) != 0) {
        close(fd);
        return;
    }
    close(told->fd);
    told->fd = fd;
}

void told_tidy(struct told *told, bool (*is_live)(void *ctx, const char *id),
               void *ctx)
{
    struct line *line, *next;
    if (told->added < TIDY)
        return;
    told->added = 0;
    HASH_ITER (hh, told->lines, line, next) {
        if (is_live(ctx, line->id))
            continue;
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): it is in it */
        HASH_DELETE(hh, told->lines, line);
        mem_free(line);
    }
    write_anew(told);
}
