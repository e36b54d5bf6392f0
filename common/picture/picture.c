/* SPDX-License-Identifier: Apache-2.0
 *
 * Tells a picture's kind by its first bytes, has it decoded and hashed. Never
 * maps the file: one that shrinks while it is read must not end the program.
 */
#include "common/picture/picture.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/decode.h"
#include "common/text.h"

static const struct kind {
    const char *name;
    bool (*decode)(struct decode *decode);
    size_t magic_at;
    size_t magic_len;
    const char *magic;
} kinds[] = {
    {"PNG", png_decode, 0, 8, "\x89PNG\r\n\x1a\n"},
    {"JPEG", jpeg_decode, 0, 3, "\xff\xd8\xff"},
    {"EXR", exr_decode, 0, 4, "\x76\x2f\x31\x01"},
    {"WEBP", webp_decode, 8, 4, "WEBP"},
    {"TIFF", tiff_decode, 0, 4, "II*\0"},
    {"TIFF", tiff_decode, 0, 4, "MM\0*"},
    {"TIFF", tiff_decode, 0, 4, "II+\0"}, /* BigTIFF */
    {"TIFF", tiff_decode, 0, 4, "MM\0+"},
};

bool picture_is(const char *name)
{
    static const char *const suffixes[] = {".png",  ".jpg",  ".jpeg", ".tif",
                                           ".tiff", ".webp", ".exr"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof suffixes / sizeof *suffixes; i++)
        if (strcasecmp(dot, suffixes[i]) == 0)
            return true;
    return false;
}

bool decode_fail(struct decode *decode, const char *format, ...)
{
    char reason[LIMIT_REASON];
    if (decode->why_size == 0 || decode->why[0])
        return false;
    const int n = snprintf(reason, sizeof reason, "%s: ", decode->kind);
    va_list args;
    va_start(args, format);
    vsnprintf(reason + n, sizeof reason - (size_t)n, format, args);
    va_end(args);
    text_excerpt(reason, strlen(reason), decode->why, decode->why_size);
    return false;
}

bool decode_begin(struct decode *decode, int64_t width, int64_t height)
{
    if (width < 1 || height < 1)
        return decode_fail(decode, "has no pixels");
    if (width > LIMIT_PIXELS || height > LIMIT_PIXELS)
        return decode_fail(decode, "is larger than %ld pixels", LIMIT_PIXELS);
    decode->width = (int32_t)width;
    decode->height = (int32_t)height;
    if (decode->thumb)
        thumb_begin(decode->thumb, decode->width, decode->height);
    return true;
}

void decode_pixels(struct decode *decode, int32_t x, int32_t y, int32_t n,
                   const uint8_t *rgba)
{
    if (decode->thumb)
        thumb_add(decode->thumb, x, y, n, rgba);
}

void decode_no_thumb(struct decode *decode)
{
    if (decode->thumb)
        thumb_done(decode->thumb);
    decode->thumb = NULL;
}

static const struct kind *kind_find(FILE *file)
{
    char head[12] = {0};
    const size_t len = fread(head, 1, sizeof head, file);
    rewind(file);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const struct kind *kind = &kinds[i];
        if (kind->magic_at + kind->magic_len <= len &&
            memcmp(head + kind->magic_at, kind->magic, kind->magic_len) == 0)
            return kind;
    }
    return NULL;
}

static bool sha256_read(FILE *file, char ret_hex[65])
{
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    unsigned char block[65536];
    size_t n = 0;
    rewind(file);
    while ((n = fread(block, 1, sizeof block, file)) > 0)
        crypto_hash_sha256_update(&state, block, n);
    unsigned char sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_final(&state, sum);
    sodium_bin2hex(ret_hex, 65, sum, sizeof sum);
    return !ferror(file);
}

/* Opens without following a link or waiting at a pipe: a name in a work folder
 * is whatever the scene made of it. */
static FILE *file_open(struct decode *decode, const char *path)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        decode_fail(decode, "cannot open: %s", strerror(errno));
    } else if (!S_ISREG(st.st_mode)) {
        decode_fail(decode, "not a file");
    } else if (st.st_size == 0) {
        decode_fail(decode, "the file is empty");
    } else if (st.st_size > LIMIT_PICTURE) {
        decode_fail(decode, "larger than %ld bytes", LIMIT_PICTURE);
    } else {
        decode->bytes = (uint64_t)st.st_size;
        return fdopen(fd, "rb");
    }
    if (fd >= 0)
        close(fd);
    return NULL;
}

static bool file_decode(struct decode *decode)
{
    const struct kind *kind = kind_find(decode->file);
    if (!kind)
        return decode_fail(decode, "none of PNG, JPEG, TIFF, WEBP, OpenEXR");
    decode->kind = kind->name;
    return kind->decode(decode) || decode_fail(decode, "cannot be decoded");
}

static bool file_prove(struct decode *decode, struct picture *ret)
{
    struct picture picture = {0};
    if (!file_decode(decode))
        return false;
    picture.width = decode->width;
    picture.height = decode->height;
    picture.bytes = decode->bytes;
    if (!sha256_read(decode->file, picture.sha256))
        return decode_fail(decode, "cannot be read again");
    if (decode->thumb)
        picture.thumb = thumb_encode(decode->thumb, &picture.thumb_len);
    if (!picture.thumb)
        picture.thumb_len = 0;
    *ret = picture;
    return true;
}

bool picture_prove(const char *path, bool thumb, struct picture *ret, char *why,
                   size_t size)
{
    struct thumb small = {0};
    struct decode decode = {.thumb = thumb ? &small : NULL,
                            .kind = "picture",
                            .why = why,
                            .why_size = size};
    if (size > 0)
        why[0] = '\0';
    decode.file = file_open(&decode, path);
    if (!decode.file)
        return false;
    const bool whole = file_prove(&decode, ret);
    fclose(decode.file);
    thumb_done(&small);
    return whole;
}

void picture_done(struct picture *picture)
{
    mem_free(picture->thumb);
    *picture = (struct picture){0};
}
