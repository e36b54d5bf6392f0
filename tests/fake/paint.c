/* SPDX-License-Identifier: Apache-2.0
 *
 * Written as Blender writes: under the final name, not in one piece.
 */
#include "tests/fake/paint.h"

#include <fcntl.h>
#include <png.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "common/app/conf.h"
#include "common/mem.h"

#define EDGE 8

static size_t encode(int32_t frame, unsigned char *out, size_t size)
{
    unsigned char pixels[EDGE * EDGE * 3];
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (unsigned char)((uint32_t)frame >> (8 * (i % 3)));
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = EDGE,
                       .height = EDGE,
                       .format = PNG_FORMAT_RGB};
    png_alloc_size_t len = size;
    if (!png_image_write_to_memory(&image, out, &len, 0, pixels, 0, NULL))
        return 0;
    return len;
}

static void make_folder(const char *path)
{
    char *folder = mem_text(path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL && slash != folder) {
        *slash = '\0';
        conf_make_dir(folder);
    }
    mem_free(folder);
}

static bool write_file(const char *path, const unsigned char *bytes, size_t n)
{
    make_folder(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return false;
    bool ok = write(fd, bytes, n) == (ssize_t)n;
    return close(fd) == 0 && ok;
}

bool paint_frame(const char *path, int32_t frame, enum paint_part part,
                 struct painted *ret)
{
    unsigned char png[4096];
    unsigned char hash[crypto_hash_sha256_BYTES];
    size_t len = encode(frame, png, sizeof png);
    if (part == PAINT_HALF)
        len /= 2;
    if (part == PAINT_NOTHING)
        len = 0;
    ret->bytes = len;
    crypto_hash_sha256(hash, png, len);
    sodium_bin2hex(ret->sha256, sizeof ret->sha256, hash, sizeof hash);
    return write_file(path, png, len);
}
