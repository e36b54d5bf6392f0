/* SPDX-License-Identifier: Apache-2.0
 *
 * Which files the broker opens and removes by the names that agents give.
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
#include <sys/stat.h>
#include <unistd.h>

#include "broker/files/picture_file.h"

static char dir[64];

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void write_file(const char *name, const char *bytes)
{
    FILE *file = fopen(path_of(name), "w");
    assert_non_null(file);
    assert_true(fputs(bytes, file) >= 0);
    fclose(file);
}

static bool read_entry(const char *path, int64_t bytes,
                       struct picture_file *ret)
{
    static json_t *entry;
    json_decref(entry);
    entry = json_pack("{s:s,s:I}", "path", path, "bytes", (json_int_t)bytes);
    bool good = picture_file_read(entry, ret);
    return good;
}

static void types_by_suffix(void **state)
{
    (void)state;
    assert_string_equal(picture_file_type("/a/b.PNG"), "image/png");
    assert_string_equal(picture_file_type("/a/b.jpeg"), "image/jpeg");
    assert_string_equal(picture_file_type("/a/b.exr"), "image/x-exr");
    assert_null(picture_file_type("/a/b"));
    assert_null(picture_file_type("/a/b.svg"));
    assert_null(picture_file_type("/etc/shadow"));
    assert_null(picture_file_type("/a.png/b"));
}

static void entries(void **state)
{
    struct picture_file file;
    (void)state;
    assert_true(read_entry("/a/b.png", 7, &file));
    assert_int_equal(file.bytes, 7);
    assert_string_equal(file.sha256, "");
    assert_false(read_entry("a/b.png", 7, &file));
    assert_false(read_entry("/etc/passwd", 7, &file));
    assert_false(picture_file_read(NULL, &file));
}

static void whole_files_are_opened(void **state)
{
    struct picture_file file;
    uint64_t size = 0;
    (void)state;
    write_file("a.png", "12345");
    assert_true(read_entry(path_of("a.png"), 5, &file));
    int fd = picture_file_open(&file, &size);
    assert_true(fd >= 0);
    assert_int_equal(size, 5);
    close(fd);
    assert_true(read_entry(path_of("a.png"), 6, &file));
    assert_int_equal(picture_file_open(&file, &size), -1);
}

static void links_pipes_and_folders_are_not(void **state)
{
    struct picture_file file;
    uint64_t size;
    (void)state;
    write_file("b.png", "12345");
    char target[128];
    snprintf(target, sizeof target, "%s", path_of("b.png"));
    assert_int_equal(symlink(target, path_of("link.png")), 0);
    assert_int_equal(mkfifo(path_of("pipe.png"), 0600), 0);
    assert_int_equal(mkdir(path_of("dir.png"), 0700), 0);
    const char *const names[] = {"link.png", "pipe.png", "dir.png"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(read_entry(path_of(names[i]), -1, &file));
        assert_int_equal(picture_file_open(&file, &size), -1);
        assert_false(picture_file_remove(&file));
    }
    assert_int_equal(access(target, F_OK), 0);
}

static void removing(void **state)
{
    struct picture_file file;
    (void)state;
    write_file("c.png", "12345");
    assert_true(read_entry(path_of("c.png"), 4, &file));
    assert_false(picture_file_remove(&file));
    assert_true(read_entry(path_of("c.png"), 5, &file));
    assert_true(picture_file_remove(&file));
    assert_int_equal(access(path_of("c.png"), F_OK), -1);
    assert_true(picture_file_remove(&file)); /* gone already */
}

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/frameq-picture-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int drop_dir(void **state)
{
    static const char *const names[] = {"a.png", "b.png", "link.png",
                                        "pipe.png"};
    (void)state;
    for (size_t i = 0; i < 4; i++)
        unlink(path_of(names[i]));
    rmdir(path_of("dir.png"));
    struct picture_file file;
    read_entry("", 0, &file);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_by_suffix),
        cmocka_unit_test(entries),
        cmocka_unit_test(whole_files_are_opened),
        cmocka_unit_test(links_pipes_and_folders_are_not),
        cmocka_unit_test(removing),
    };
    return cmocka_run_group_tests(tests, make_dir, drop_dir);
}
