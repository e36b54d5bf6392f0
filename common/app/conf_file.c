/* SPDX-License-Identifier: Apache-2.0
 *
 * The file of --config, ZPL as CZMQ reads it: lines of name = "value" at the
 * top level. CZMQ 4.2 takes any key, tells of errors on stdout and reads past
 * its buffer on long lines; all three are mended here.
 */
#include "common/app/conf_table.h"

#include <assert.h>
#include <czmq.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/limits.h"
#include "common/text.h"

static void read_all(const struct conf *conf, const char *path, struct buf *ret)
{
    char piece[4096];
    size_t n;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        conf_refuse(conf, "--config: cannot read %s: %s", path,
                    strerror(errno));
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        buf_add(ret, piece, n);
    if (ferror(file))
        conf_refuse(conf, "--config: cannot read %s: %s", path,
                    strerror(errno));
    fclose(file);
    if (ret->over)
        conf_refuse(conf, "--config: %s is larger than %d bytes", path,
                    LIMIT_CONF);
}

static void check_lines(const struct conf *conf, const char *path,
                        const struct buf *text)
{
    size_t len, line = 1;
    if (strlen(buf_text(text)) != text->len)
        conf_refuse(conf, "%s: has a NUL byte in it", path);
    for (const char *at = buf_text(text); *at != '\0'; line++) {
        len = strcspn(at, "\n");
        if (len > LIMIT_CONF_LINE)
            conf_refuse(conf, "%s:%zu: the line is longer than %d bytes", path,
                        line, LIMIT_CONF_LINE);
        at += len + (at[len] == '\n');
    }
}

/* Parses with what CZMQ prints on stdout caught in said. */
static zconfig_t *parse_caught(const char *text, char *said, size_t size)
{
    int ends[2], out = dup(STDOUT_FILENO);
    if (out < 0) /* stdout is closed: nothing to be kept clean */
        return zconfig_str_load(text);
    fflush(stdout);
    int rc = pipe2(ends, O_CLOEXEC);
    assert(rc == 0);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    zconfig_t *root = zconfig_str_load(text); /* prints one line at most */
    fflush(stdout);
    dup2(out, STDOUT_FILENO);
    close(out);
    ssize_t n = read(ends[0], said, size - 1);
    said[n > 0 ? n : 0] = '\0';
    close(ends[0]);
    return root;
}

/* CZMQ says "<time> E (zconfig): (<line>) <reason>". */
static void refuse_syntax(const struct conf *conf, const char *path,
                          const char *said)
{
    static const char mark[] = "(zconfig): (";
    const char *at = strstr(said, mark);
    char reason[128];
    if (at == NULL)
        conf_refuse(conf, "%s: not a file of name = \"value\" lines", path);
    char *end;
    long line = strtol(at + strlen(mark), &end, 10);
    end += strspn(end, ") ");
    conf_refuse(conf, "%s:%ld: %s", path, line,
                text_excerpt(end, strcspn(end, "\n"), reason, sizeof reason));
}

static void put_key(struct conf *conf, const char *path, zconfig_t *item)
{
    const char *name = zconfig_name(item);
    size_t n = conf->program->n;
    struct conf_row *row = conf_row_find(conf, n, name);
    if (row == NULL) {
        const char *nearest = conf_row_nearest(conf, n, name);
        conf_refuse(conf, "%s: unknown key %s%s%s%s", path, name,
                    nearest ? " (did you mean " : "", nearest ? nearest : "",
                    nearest ? "?)" : "");
    }
    if (zconfig_child(item) != NULL)
        conf_refuse(conf, "%s: %s has keys beneath it", path, name);
    if (row->source == CONF_FILE && !row->setting->many)
        conf_refuse(conf, "%s: %s stands there twice", path, name);
    const char *why = conf_row_put(row, CONF_FILE, zconfig_value(item));
    if (why != NULL)
        conf_refuse(conf, "%s: %s: %s", path, name, why);
}

void conf_file_read(struct conf *conf, const char *path)
{
    char said[2048] = "";
    struct buf text;
    buf_init(&text, LIMIT_CONF);
    read_all(conf, path, &text);
    check_lines(conf, path, &text);
    zconfig_t *root = parse_caught(buf_text(&text), said, sizeof said);
    if (root == NULL)
        refuse_syntax(conf, path, said);
    zconfig_t *item = zconfig_child(root);
    for (; item != NULL; item = zconfig_next(item))
        put_key(conf, path, item);
    zconfig_destroy(&root);
    buf_free(&text);
}
