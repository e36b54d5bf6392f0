/* SPDX-License-Identifier: Apache-2.0
 *
 * A path alone proves nothing; suffix, kind and size together say that it is
 * still the file a node reported.
 */
#include "broker/files/picture_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *suffix, *type;
} types[] = {
    {".png", "image/png"},   {".jpg", "image/jpeg"},  {".jpeg", "image/jpeg"},
    {".tif", "image/tiff"},  {".tiff", "image/tiff"}, {".webp", "image/webp"},
    {".exr", "image/x-exr"},
};

const char *picture_file_type(const char *path)
{
    const char *suffix = strrchr(path, '.');
    for (size_t i = 0; suffix && i < sizeof types / sizeof *types; i++)
        if (strcasecmp(suffix, types[i].suffix) == 0)
            return types[i].type;
    return NULL;
}

bool picture_file_read(const json_t *entry, struct picture_file *ret)
{
    const char *path = json_string_value(json_object_get(entry, "path"));
    const char *sha256 = json_string_value(json_object_get(entry, "sha256"));
    const json_t *bytes = json_object_get(entry, "bytes");
    if (!path || *path != '/' || !picture_file_type(path))
        return false;
    *ret = (struct picture_file){
        .path = path,
        .sha256 = sha256 ? sha256 : "",
        .bytes = json_is_integer(bytes) ? json_integer_value(bytes) : -1};
    return true;
}

static bool is_the_file(const struct picture_file *file, const struct stat *st)
{
    return S_ISREG(st->st_mode) &&
           (file->bytes < 0 || st->st_size == file->bytes);
}

int picture_file_open(const struct picture_file *file, uint64_t *ret_size)
{
    struct stat st;
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;
    int fd = open(file->path, flags);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) != 0 || !is_the_file(file, &st)) {
        close(fd);
        return -1;
    }
    *ret_size = (uint64_t)st.st_size;
    return fd;
}

bool picture_file_remove(const struct picture_file *file)
{
    struct stat st;
    if (lstat(file->path, &st) != 0)
        return errno == ENOENT;
    return is_the_file(file, &st) && unlink(file->path) == 0;
}
