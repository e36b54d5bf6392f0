/* SPDX-License-Identifier: Apache-2.0
 *
 * Written as Blender writes: under the final name, not in one piece.
 */
#include "tests/fake/paint.h"

#include <fcntl.h>
#include <math.h>
#include <png.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#include "common/app/conf.h"
#include "common/mem.h"

/* What there is at a point, x and y from -1 to 1, while frame is shown: a ball
 * on a floor. Brightness of red, green and blue. */
static void shade(double x, double y, int32_t frame, double ret[3])
{
    double turn = frame * 0.09, left = 0.36 - x * x - y * y;
    double light[3] = {0.62 * cos(turn), -0.62, 0.48 + 0.3 * sin(turn)};
    double lit = 0.0, glint = 0.0;
    static const double ball[3] = {0.95, 0.42, 0.16};
    if (left > 0.0) {
        double n[3] = {x / 0.6, y / 0.6, sqrt(left) / 0.6};
        lit = fmax(0.0, n[0] * light[0] + n[1] * light[1] + n[2] * light[2]);
        glint = pow(lit, 24.0);
    }
    double sky = 0.10 + 0.10 * (y + 1.0);
    double shadow = hypot(x + light[0] * 0.5, (y - 0.62) * 4.0);
    double floor = y > 0.45 ? 0.34 * fmin(1.0, 0.35 + 0.6 * shadow) : 0.0;
    for (int i = 0; i < 3; i++)
        ret[i] = left > 0.0 ? ball[i] * (0.08 + 0.9 * lit) + 0.7 * glint
                            : fmax(sky * (0.7 + 0.2 * i), floor);
}

static void paint_ball(int32_t frame, int width, int height,
                       unsigned char *pixels)
{
    double scale = 2.0 / height, rgb[3];
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            shade((x - width / 2.0) * scale, y * scale - 1.0, frame, rgb);
            for (int i = 0; i < 3; i++)
                *pixels++ = (unsigned char)(255.0 * sqrt(fmin(1.0, rgb[i])));
        }
}

static void paint_colour(int32_t frame, size_t n, unsigned char *pixels)
{
    for (size_t i = 0; i < n; i++)
        pixels[i] = (unsigned char)((uint32_t)frame >> (8 * (i % 3)));
}

/* Returns the PNG, owned, of *ret_len bytes. */
static unsigned char *encode(int32_t frame, int width, size_t *ret_len)
{
    bool tiny = width <= PAINT_LEAST;
    int height = tiny ? width : width * 9 / 16;
    size_t n = (size_t)width * (size_t)height * 3;
    unsigned char *pixels = mem_new(n), *png = mem_new(n + 4096);
    png_alloc_size_t len = n + 4096;
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = PNG_FORMAT_RGB};
    if (tiny)
        paint_colour(frame, n, pixels);
    else
        paint_ball(frame, width, height, pixels);
    bool ok = png_image_write_to_memory(&image, png, &len, 0, pixels, 0, NULL);
    mem_free(pixels);
    *ret_len = ok ? len : 0;
    return png;
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

bool paint_frame(const char *path, int32_t frame, int width,
                 enum paint_part part, struct painted *ret)
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    size_t len;
    unsigned char *png = encode(frame, width, &len);
    if (part == PAINT_HALF)
        len /= 2;
    if (part == PAINT_NOTHING)
        len = 0;
    ret->bytes = len;
    crypto_hash_sha256(hash, png, len);
    sodium_bin2hex(ret->sha256, sizeof ret->sha256, hash, sizeof hash);
    bool ok = write_file(path, png, len);
    mem_free(png);
    return ok;
}
