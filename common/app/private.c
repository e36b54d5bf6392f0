/* SPDX-License-Identifier: Apache-2.0
 *
 * A new file takes the old one's place by its name, once it is on disk.
 */
#include "common/app/private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/app/fields.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

/* Whether nobody but its owner may read it. */
static bool is_private(int fd, char *why, size_t size)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return field_refuse(why, size, "%s", strerror(errno));
    if ((facts.st_mode & 077) != 0)
        return field_refuse(why, size,
                            "others may read or write it; make it mode 0600");
    return true;
}

bool private_bytes(const char *path, bool secret, struct buf *ret, char *why,
                   size_t size)
{
    char piece[4096];
    ssize_t n = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return field_refuse(why, size, "%s", strerror(errno));
    bool ok = !secret || is_private(fd, why, size);
    while (ok && (n = read(fd, piece, sizeof piece)) > 0)
        buf_add(ret, piece, (size_t)n);
    if (ok && n < 0)
        ok = field_refuse(why, size, "%s", strerror(errno));
    close(fd);
    if (ok && ret->over)
        ok = field_refuse(why, size, "larger than %zu bytes", ret->max);
    return ok;
}

json_t *private_read(const char *path, size_t max, char *why, size_t size)
{
    struct buf text;
    json_t *root = NULL;
    buf_init(&text, max);
    if (private_bytes(path, true, &text, why, size))
        root = fields_parse(buf_text(&text), text.len, why, size);
    buf_free(&text);
    return root;
}

/* json_dumpfd would make a call of write for every few bytes. */
static bool write_whole(int fd, const json_t *root)
{
    char *text = json_dumps(root, JSON_INDENT(1));
    size_t len = strlen(text), done = 0;
    ssize_t n = 1;
    while (done < len && (n = write(fd, text + done, len - done)) > 0)
        done += (size_t)n;
    free(text); /* jansson's */
    return done == len && fsync(fd) == 0;
}

/* So that the new name is on disk too. Where a folder cannot be synced (some
 * network file systems say EINVAL) there is nothing more to do. */
static bool sync_folder(const char *path)
{
    char *folder = mem_text(path), *slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[1] = '\0';
    int fd =
        open(slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL);
    if (fd >= 0)
        close(fd);
    mem_free(folder);
    return ok;
}

bool private_write(const char *path, const json_t *root, char *why, size_t size)
{
    struct buf part;
    buf_init(&part, LIMIT_PATH + 8);
    buf_print(&part, "%s.XXXXXX", path);
    char *name = buf_take(&part);
    int fd = mkostemp(name, O_CLOEXEC); /* mode 0600 */
    bool ok = fd >= 0 && write_whole(fd, root);
    ok = ok && rename(name, path) == 0 && sync_folder(path);
    if (!ok)
        (void)field_refuse(why, size, "%s", strerror(errno));
    if (fd >= 0 && !ok)
        unlink(name);
    if (fd >= 0)
        close(fd);
    mem_free(name);
    return ok;
}
