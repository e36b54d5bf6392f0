/* SPDX-License-Identifier: Apache-2.0
 *
 * When a frame counts as there, and who keeps a name: place_file, proof_make,
 * and the same in a process of its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/picture.h"
#include "node/place.h"
#include "node/proof.h"
#include "node/work.h"

static char root[64];
static char work[96];
static char target[96];

static const char *in(const char *folder, const char *name)
{
    static char paths[4][256];
    static int turn;
    char *path = paths[turn++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static size_t sample_read(const char *name, unsigned char *bytes, size_t size)
{
    FILE *file = fopen(in(PICTURES, name), "rb");
    assert_non_null(file);
    const size_t len = fread(bytes, 1, size, file);
    fclose(file);
    return len;
}

/* Puts the first part of a sample at path. */
static void put_part(const char *sample, const char *path, double part)
{
    unsigned char bytes[65536];
    const size_t len = sample_read(sample, bytes, sizeof bytes);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(bytes, 1, (size_t)((double)len * part), file);
    fclose(file);
}

static void put(const char *sample, const char *path)
{
    put_part(sample, path, 1);
}

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static struct proof_result prove_with(const char *rendered, int32_t width,
                                      bool replace)
{
    struct proof_result result;
    json_t *event = json_loads(rendered, 0, NULL);
    assert_non_null(event);
    const struct proof_order order = {.work = work,
                                      .target = target,
                                      .rendered = event,
                                      .width = width,
                                      .height = width ? 30 : 0,
                                      .replace = replace};
    proof_make(&order, &result);
    json_decref(event);
    return result;
}

static enum fault prove(const char *rendered, int32_t width)
{
    struct proof_result result = prove_with(rendered, width, false);
    const enum fault fault = result.fault;
    assert_true((fault == FAULT_NONE) == (result.text == NULL));
    proof_result_done(&result);
    return fault;
}

static void a_whole_frame(void **state)
{
    (void)state;
    put("rgb8.png", in(work, "f_0001.png"));
    struct proof_result result =
        prove_with("{\"main\":[\"f_0001.png\"]}", 40, false);
    assert_int_equal(result.fault, FAULT_NONE);
    assert_int_equal(json_array_size(result.files), 1);
    const json_t *file = json_array_get(result.files, 0);
    assert_string_equal(json_string_value(json_object_get(file, "path")),
                        in(target, "f_0001.png"));
    assert_true(json_is_false(json_object_get(file, "kept")));
    assert_non_null(result.thumb);
    assert_true(exists(in(target, "f_0001.png")));
    assert_false(exists(work));
    proof_result_done(&result);
}

static void no_frame(void **state)
{
    (void)state;
    static const char event[] = "{\"main\":[\"f.png\"]}";
    assert_int_equal(prove(event, 0), FAULT_UNPROVEN);
    mkdir(work, 0700);
    put_part("rgb8.png", in(work, "f.png"), 0.9);
    assert_int_equal(prove(event, 0), FAULT_UNPROVEN);
    mkdir(work, 0700);
    put_part("rgb8.png", in(work, "f.png"), 0);
    assert_int_equal(prove(event, 0), FAULT_UNPROVEN);
    mkdir(work, 0700);
    put("rgb8.png", in(work, "f.png"));
    assert_int_equal(prove(event, 41), FAULT_UNPROVEN);
    mkdir(work, 0700);
    put("rgb8.png", in(work, "f.png"));
    assert_int_equal(prove("{\"main\":[]}", 40), FAULT_UNPROVEN);
    assert_false(exists(in(target, "f.png")));
}

static void all_or_nothing(void **state)
{
    (void)state;
    static const char event[] = "{\"main\":[\"f_L.exr\",\"f_R.exr\"]}";
    put("zip.exr", in(work, "f_L.exr"));
    assert_int_equal(prove(event, 40), FAULT_UNPROVEN);
    mkdir(work, 0700);
    put("zip.exr", in(work, "f_L.exr"));
    put_part("zip.exr", in(work, "f_R.exr"), 0.8);
    assert_int_equal(prove(event, 40), FAULT_UNPROVEN);
    assert_false(exists(in(target, "f_L.exr")));
    mkdir(work, 0700);
    put("zip.exr", in(work, "f_L.exr"));
    put("piz.exr", in(work, "f_R.exr"));
    assert_int_equal(prove(event, 40), FAULT_NONE);
    assert_true(exists(in(target, "f_L.exr")));
    assert_true(exists(in(target, "f_R.exr")));
}

static void further_files(void **state)
{
    (void)state;
    static const char event[] =
        "{\"main\":[\"z.png\"],\"outputs\":[{\"folder\":\"Out\",\"files\":2}]}";
    mkdir(in(work, "Out"), 0700);
    put("rgb8.png", in(work, "z.png"));
    put("grey8.png", in(work, "Out/a.png"));
    assert_int_equal(prove(event, 40), FAULT_UNPROVEN);
    mkdir(work, 0700);
    mkdir(in(work, "Out"), 0700);
    put("rgb8.png", in(work, "z.png"));
    put("grey8.png", in(work, "Out/a.png"));
    put("rgb.jpg", in(work, "Out/b.jpg"));
    put("rgb.jpg", in(work, "Out/notes.txt"));
    struct proof_result result = prove_with(event, 40, false);
    assert_int_equal(result.fault, FAULT_NONE);
    assert_int_equal(json_array_size(result.files), 3);
    assert_string_equal(json_string_value(json_object_get(
                            json_array_get(result.files, 0), "path")),
                        in(target, "z.png"));
    assert_true(exists(in(target, "Out/b.jpg")));
    assert_false(exists(in(target, "Out/notes.txt")));
    proof_result_done(&result);
}

static void a_link_is_no_picture(void **state)
{
    (void)state;
    put("rgb8.png", in(root, "elsewhere.png"));
    assert_int_equal(symlink(in(root, "elsewhere.png"), in(work, "f.png")), 0);
    assert_int_equal(prove("{\"main\":[\"f.png\"]}", 40), FAULT_UNPROVEN);
    assert_true(exists(in(root, "elsewhere.png")));
}

static void too_many_files(void **state)
{
    (void)state;
    for (int i = 0; i <= LIMIT_FRAME_FILES; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%02d.png", i);
        put("grey8.png", in(work, name));
    }
    assert_int_equal(prove("{\"main\":[\"f00.png\"]}", 40), FAULT_UNPROVEN);
}

static void as_many_files_as_may_be(void **state)
{
    (void)state;
    for (int i = 0; i < LIMIT_FRAME_FILES; i++) {
        char name[32];
        snprintf(name, sizeof name, "f%02d.png", i);
        put("grey8.png", in(work, name));
    }
    assert_int_equal(prove("{\"main\":[\"f00.png\"]}", 40), FAULT_NONE);
}

static ino_t inode(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_ino;
}

static bool place(const char *from, const char *to, bool replace)
{
    struct picture picture;
    char why[256];
    bool kept = false;
    assert_true(picture_prove(from, false, &picture, why, sizeof why));
    assert_int_equal(place_file(from, to, replace, &picture, &kept), 0);
    struct picture now;
    assert_true(picture_prove(to, false, &now, why, sizeof why));
    assert_string_equal(now.sha256, picture.sha256);
    assert_int_equal(now.bytes, picture.bytes);
    return kept;
}

static void the_first_stays(void **state)
{
    (void)state;
    const char *to = "a/b/f.png";
    char final[128];
    snprintf(final, sizeof final, "%s/%s", target, to);
    put("rgb8.png", in(work, "1.png"));
    assert_false(place(in(work, "1.png"), final, false));
    const ino_t first = inode(final);
    put("rgba16.png", in(work, "2.png"));
    assert_true(place(in(work, "2.png"), final, false));
    assert_int_equal(inode(final), first);
    put("rgba16.png", in(work, "3.png"));
    assert_false(place(in(work, "3.png"), final, true));
    assert_int_not_equal(inode(final), first);
}

static void the_broken_goes(void **state)
{
    (void)state;
    put_part("rgb8.png", in(target, "f.png"), 0.5);
    put("rgb8.png", in(work, "1.png"));
    assert_false(place(in(work, "1.png"), in(target, "f.png"), false));
    put_part("rgb8.png", in(target, "f.png"), 0);
    put("rgb8.png", in(work, "1.png"));
    assert_false(place(in(work, "1.png"), in(target, "f.png"), false));
}

static void nowhere_to_go(void **state)
{
    (void)state;
    put("rgb8.png", in(work, "f.png"));
    mkdir(in(target, "f.png"), 0700);
    assert_int_equal(prove("{\"main\":[\"f.png\"]}", 40), FAULT_UNWRITABLE);
}

static void proof_await(struct proof *proof)
{
    int status = 0;
    while (proof->fd >= 0) {
        struct pollfd poll_fd = {.fd = proof->fd, .events = POLLIN};
        assert_int_equal(poll(&poll_fd, 1, 20000), 1);
        proof_read(proof);
    }
    assert_int_equal(waitpid(proof->pid, &status, 0), proof->pid);
    proof->reaped = true;
    assert_true(proof_read(proof));
}

static void in_a_process(void **state)
{
    (void)state;
    put("rgb8.png", in(work, "f.png"));
    json_t *event = json_loads("{\"main\":[\"f.png\"]}", 0, NULL);
    const struct proof_order order = {
        .work = work, .target = target, .rendered = event};
    struct proof proof;
    struct proof_result result;
    assert_true(proof_start(&proof, &order, 3));
    assert_int_equal(proof.ordinal, 3);
    proof_await(&proof);
    proof_take(&proof, &result);
    assert_int_equal(result.fault, FAULT_NONE);
    assert_int_equal(json_array_size(result.files), 1);
    assert_memory_equal(result.thumb, "\xff\xd8\xff", 3);
    proof_result_done(&result);
    proof_done(&proof);
    json_decref(event);
}

static void broken_off(void **state)
{
    (void)state;
    int ends[2];
    struct proof proof = {.fd = -1, .reaped = true};
    struct proof_result result;
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    close(ends[1]);
    buf_init(&proof.in, 100);
    assert_true(proof_read(&proof));
    proof_take(&proof, &result);
    assert_int_equal(result.fault, FAULT_UNPROVEN);
    proof_result_done(&result);
    proof_done(&proof);
}

static int folders_make(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/test_place.XXXXXX");
    if (!mkdtemp(root))
        return -1;
    snprintf(work, sizeof work, "%s/work", root);
    snprintf(target, sizeof target, "%s/target", root);
    return mkdir(work, 0700) + mkdir(target, 0700);
}

static int folders_remove(void **state)
{
    (void)state;
    work_remove(root);
    return 0;
}

#define ROOTED(test)                                                           \
    cmocka_unit_test_setup_teardown(test, folders_make, folders_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOTED(a_whole_frame),
        ROOTED(no_frame),
        ROOTED(all_or_nothing),
        ROOTED(further_files),
        ROOTED(a_link_is_no_picture),
        ROOTED(too_many_files),
        ROOTED(as_many_files_as_may_be),
        ROOTED(the_first_stays),
        ROOTED(the_broken_goes),
        ROOTED(nowhere_to_go),
        ROOTED(in_a_process),
        ROOTED(broken_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
