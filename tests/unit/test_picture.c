/* SPDX-License-Identifier: Apache-2.0
 *
 * The proof of pictures: what Blender writes is whole, the same cut off
 * anywhere is not. The samples are made by pictures/make.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/picture.h"
#include "common/picture/thumb.h"
#include "common/text.h"

enum { WIDTH = 40, HEIGHT = 30 };

/* sha256sum pictures/rgb8.png */
#define RGB8_SHA256                                                            \
    "00172aeec00d4222b3094730117b6ee5351373e40f7d6f3b38d62d5985727f2a"

static const char *const samples[] = {
    "rgb8.png",  "rgba16.png", "grey8.png", "rgb.jpg", "grey.jpg",
    "rgba8.tif", "rgb16.tif",  "rgba.webp", "zip.exr", "piz.exr",
    "none.exr",  "dwaa.exr",   "pxr24.exr", "rle.exr", "layers.exr",
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static char folder[] = "/tmp/test_picture.XXXXXX";

static char *sample_path(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", PICTURES, name);
    return path;
}

static unsigned char *sample_read(const char *name, size_t *ret_len)
{
    FILE *file = fopen(sample_path(name), "rb");
    assert_non_null(file);
    fseek(file, 0, SEEK_END);
    *ret_len = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = mem_new(*ret_len);
    assert_int_equal(fread(bytes, 1, *ret_len, file), *ret_len);
    fclose(file);
    return bytes;
}

static const char *scratch_write(const void *bytes, size_t len)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/scratch", folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    fclose(file);
    return path;
}

static bool prove(const char *path, char why[256])
{
    struct picture picture;
    const bool whole = picture_prove(path, false, &picture, why, 256);
    if (whole)
        picture_done(&picture);
    return whole;
}

static void whole_pictures(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        struct picture picture;
        char why[256];
        size_t len = 0;
        mem_free(sample_read(samples[i], &len));
        if (!picture_prove(sample_path(samples[i]), true, &picture, why,
                           sizeof why))
            fail_msg("%s: %s", samples[i], why);
        assert_int_equal(picture.width, WIDTH);
        assert_int_equal(picture.height, HEIGHT);
        assert_int_equal(picture.bytes, len);
        assert_int_equal(strlen(picture.sha256), 64);
        assert_non_null(picture.thumb);
        picture_done(&picture);
        assert_null(picture.thumb);
    }
}

static void known_hash(void **state)
{
    (void)state;
    struct picture picture;
    char why[256];
    assert_true(picture_prove(sample_path("rgb8.png"), false, &picture, why,
                              sizeof why));
    assert_string_equal(picture.sha256, RGB8_SHA256);
    assert_null(picture.thumb);
    picture_done(&picture);
}

static void cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t len = 0;
        unsigned char *bytes = sample_read(samples[i], &len);
        char whole[256];
        assert_true(prove(scratch_write(bytes, len), whole));
        for (size_t cut = 0; cut < len; cut += cut + 64 < len ? 41 : 1) {
            char why[256];
            if (prove(scratch_write(bytes, cut), why))
                fail_msg("%s cut at %zu of %zu counts as whole", samples[i],
                         cut, len);
            assert_true(why[0]);
        }
        mem_free(bytes);
    }
}

/* A file system that lost its last blocks leaves zeroes there. Pixels that are
 * not packed, and WEBP, carry nothing to notice it by. */
static void zeroed_tail(void **state)
{
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t len = 0;
        unsigned char *bytes = sample_read(samples[i], &len);
        memset(bytes + len / 2, 0, len - len / 2);
        char why[256];
        const bool plain = strcmp(samples[i], "rgb16.tif") == 0 ||
                           strcmp(samples[i], "none.exr") == 0 ||
                           strcmp(samples[i], "rgba.webp") == 0;
        const bool whole = prove(scratch_write(bytes, len), why);
        mem_free(bytes);
        if (whole && !plain)
            fail_msg("%s with zeroes at its end counts as whole", samples[i]);
    }
}

static void flipped_bit(void **state)
{
    (void)state;
    size_t len = 0;
    unsigned char *bytes = sample_read("rgb8.png", &len);
    for (size_t at = 8; at < len; at += 7) {
        char why[256];
        bytes[at] ^= 0x10;
        if (prove(scratch_write(bytes, len), why))
            fail_msg("a flipped bit at %zu is not noticed", at);
        bytes[at] ^= 0x10;
    }
    mem_free(bytes);
}

static void not_pictures(void **state)
{
    (void)state;
    char why[256];
    assert_false(prove("/dev/null", why));
    assert_string_equal(why, "picture: not a file");
    assert_false(prove(folder, why));
    assert_false(prove(sample_path("missing.png"), why));
    assert_non_null(strstr(why, "No such file"));
    assert_false(prove(scratch_write("", 0), why));
    assert_string_equal(why, "picture: the file is empty");
    assert_false(prove(scratch_write("BM and then some", 16), why));
    assert_non_null(strstr(why, "none of PNG"));
}

static void links_are_refused(void **state)
{
    (void)state;
    char path[512];
    char why[256];
    snprintf(path, sizeof path, "%s/link.png", folder);
    assert_int_equal(symlink(sample_path("rgb8.png"), path), 0);
    assert_false(prove(path, why));
    unlink(path);
}

static void too_wide(void **state)
{
    (void)state;
    /* IHDR of 65537 x 1, whose checksum is right. */
    static const unsigned char png[] = {
        0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n', 0, 0, 0,
        13,   'I', 'H', 'D', 'R',  0,    1,    0,    1, 0, 0,
        0,    1,   8,   2,   0,    0,    0,    0xbd, 0, 0, 0};
    char why[256];
    assert_int_equal(LIMIT_PIXELS, 0x10000);
    assert_false(prove(scratch_write(png, sizeof png), why));
}

static long peak_kib(void)
{
    struct rusage use;
    getrusage(RUSAGE_SELF, &use);
    return use.ru_maxrss;
}

/* Proves a sample with four bytes replaced, shift bytes behind a mark. */
static void prove_changed(const char *name, const char *mark, int shift,
                          const char *bytes, char why[256])
{
    size_t len = 0;
    unsigned char *file = sample_read(name, &len);
    unsigned char *at = memmem(file, len, mark, strlen(mark));
    assert_non_null(at);
    memcpy(at + shift, bytes, 4);
    assert_false(prove(scratch_write(file, len), why));
    mem_free(file);
}

/* Gigabytes that a damaged file only claims to hold take no memory. */
static void claims_cost_nothing(void **state)
{
    (void)state;
    char why[256];
    const long before = peak_kib();
    assert_in_range(LIMIT_PNG_PIECE, 1, 0x7d00000f - 1);
    prove_changed("rgb8.png", "tEXtFile", -4, "\x7d\0\0\x0f", why);
    prove_changed("dwaa.exr", "samples", 15, "\0\0\0\x79", why);
    assert_in_range(peak_kib() - before, 0, 512 * 1024L);
}

static uint32_t crc_add(uint32_t crc, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return crc;
}

static void put_number(unsigned char *at, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        at[i] = (unsigned char)(number >> (24 - 8 * i));
}

/* Writes a sample with a text of n bytes behind its header. */
static const char *write_with_text(size_t n)
{
    enum { HEADER = 33 };
    size_t len;
    unsigned char *file = sample_read("rgb8.png", &len);
    unsigned char *whole = mem_new(len + n + 12), *chunk = whole + HEADER;
    memcpy(whole, file, HEADER);
    put_number(chunk, (uint32_t)n);
    memset(chunk + 4, 'x', n + 4);
    memcpy(chunk + 4, "tEXtFile", 9); /* with its NUL */
    put_number(chunk + 8 + n, ~crc_add(~0U, chunk + 4, n + 4));
    memcpy(chunk + 12 + n, file + HEADER, len - HEADER);
    const char *path = scratch_write(whole, len + n + 12);
    mem_free(file);
    mem_free(whole);
    return path;
}

/* The library adds a NUL to a text. */
static void pieces_at_the_limit(void **state)
{
    (void)state;
    char why[256];
    assert_true(prove(write_with_text(LIMIT_PNG_PIECE - 1), why));
    assert_false(prove(write_with_text(LIMIT_PNG_PIECE), why));
    assert_non_null(strstr(why, "PNG: "));
}

/* What a library quotes of a file is fit for JSON and for people. */
static void reasons_are_plain(void **state)
{
    (void)state;
    char why[256];
    prove_changed("zip.exr", "chlist", 0, "\xff\x1b\xc3[", why);
    assert_string_equal(why, "EXR: Required attribute 'channels': Invalid "
                             "type '???[st'");
}

/* The library would guess what a header does not say. */
static void damaged_header(void **state)
{
    (void)state;
    char why[256];
    prove_changed("zip.exr", "compression", 0, "damp", why);
    prove_changed("zip.exr", "Camera", 14, "\xff\xff\xff\x7f", why);
}

/* The edge at LIMIT_THUMB_EDGE is kept, one past it is scaled down to it. */
static void thumb_edges(void **state)
{
    (void)state;
    struct thumb thumb = {0};
    thumb_begin(&thumb, LIMIT_THUMB_EDGE, 10);
    assert_int_equal(thumb.width, LIMIT_THUMB_EDGE);
    assert_int_equal(thumb.height, 10);
    thumb_begin(&thumb, 10, LIMIT_THUMB_EDGE + 1);
    assert_int_equal(thumb.height, LIMIT_THUMB_EDGE);
    assert_int_equal(thumb.width, 9);
    thumb_done(&thumb);
}

/* Of a file of LIMIT_PICTURE bytes what is in it is looked at, of one that is
 * a byte longer its size. */
static void too_many_bytes(void **state)
{
    (void)state;
    char why[256];
    const char *path = scratch_write("BM", 2);
    for (int extra = 0; extra < 2; extra++) {
        assert_int_equal(truncate(path, LIMIT_PICTURE + extra), 0);
        assert_false(prove(path, why));
        assert_int_equal(strstr(why, "larger than") != NULL, extra);
    }
}

static void thumb_is_small(void **state)
{
    (void)state;
    struct picture picture;
    char why[256];
    assert_true(picture_prove(sample_path("rgb8.png"), true, &picture, why,
                              sizeof why));
    assert_in_range(picture.thumb_len, 100, LIMIT_THUMB);
    assert_memory_equal(picture.thumb, "\xff\xd8\xff", 3);
    struct picture again;
    assert_true(picture_prove(scratch_write(picture.thumb, picture.thumb_len),
                              false, &again, why, sizeof why));
    assert_int_equal(again.width, WIDTH);
    assert_int_equal(again.height, HEIGHT);
    picture_done(&again);
    picture_done(&picture);
}

static void names(void **state)
{
    (void)state;
    assert_true(picture_is("a.png"));
    assert_true(picture_is("a.b.EXR"));
    assert_true(picture_is("x/a.jpeg"));
    assert_true(picture_is("a.Tiff"));
    assert_true(picture_is("a.webp"));
    assert_false(picture_is("png"));
    assert_false(picture_is("a.png.tmp"));
    assert_false(picture_is("a.mkv"));
    assert_false(picture_is(""));
}

static int folder_make(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int folder_remove(void **state)
{
    (void)state;
    char path[512];
    snprintf(path, sizeof path, "%s/scratch", folder);
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_pictures),
        cmocka_unit_test(known_hash),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(zeroed_tail),
        cmocka_unit_test(flipped_bit),
        cmocka_unit_test(not_pictures),
        cmocka_unit_test(links_are_refused),
        cmocka_unit_test(too_wide),
        cmocka_unit_test(thumb_is_small),
        cmocka_unit_test(names),
        cmocka_unit_test(claims_cost_nothing),
        cmocka_unit_test(pieces_at_the_limit),
        cmocka_unit_test(reasons_are_plain),
        cmocka_unit_test(damaged_header),
        cmocka_unit_test(too_many_bytes),
        cmocka_unit_test(thumb_edges),
    };
    return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
