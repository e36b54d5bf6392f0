/* SPDX-License-Identifier: Apache-2.0
 *
 * Entries are written by one write each, so that a kill cuts none in two.
 */
#include "tests/fake/diary.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"

#define DIARY_MAX (256 * 1024 * 1024)
#define ENTRY_MAX 1024

struct diary {
    int fd; /* -1: memory only */
    struct buf lines;
};

struct diary *diary_open(const char *path)
{
    int fd = -1;
    if (*path != '\0') {
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
        if (fd < 0)
            return NULL;
    }
    struct diary *diary = mem_new(sizeof *diary);
    diary->fd = fd;
    buf_init(&diary->lines, DIARY_MAX);
    return diary;
}

void diary_close(struct diary **diary)
{
    if (*diary == NULL)
        return;
    if ((*diary)->fd >= 0)
        close((*diary)->fd);
    buf_free(&(*diary)->lines);
    mem_free(*diary);
    *diary = NULL;
}

/* Appends a line to the file. */
static void write_line(struct diary *diary, struct buf *line)
{
    buf_add(line, "\n", 1);
    if (write(diary->fd, line->data, line->len) < 0)
        diary->fd = -1; /* the tests will miss what could not be written */
}

void diary_add(struct diary *diary, const struct entry *entry)
{
    struct buf line;
    buf_init(&line, ENTRY_MAX);
    buf_print(&line,
              "{\"t\":%" PRId64 ",\"port\":%d,\"event\":\"%s\",\"pid\":%d,"
              "\"from\":%d,\"to\":%d,\"text\":\"%s\"}",
              entry->at_ms, entry->port, entry->event, (int)entry->pid,
              (int)entry->from, (int)entry->to,
              entry->text == NULL ? "" : entry->text);
    if (diary->lines.len > 0)
        buf_add(&diary->lines, ",\n", 2);
    buf_add(&diary->lines, buf_text(&line), line.len);
    if (diary->fd >= 0)
        write_line(diary, &line);
    buf_free(&line);
}

char *diary_json(const struct diary *diary)
{
    struct buf json;
    buf_init(&json, DIARY_MAX + 2);
    buf_print(&json, "[%s]", buf_text(&diary->lines));
    return buf_take(&json);
}
