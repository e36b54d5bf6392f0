/* SPDX-License-Identifier: Apache-2.0
 *
 * Proof from a folder: which file is of which frame, and when a frame counts
 * as done. Real files, the test's own clock.
 */
#include "worker-agent/proof.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/app/clock.h"
#include "common/buf.h"

/* --- Names. --- */

static void test_names(void **state)
{
    static const struct {
        const char *name;
        int32_t from, to, step, frame;
        bool view;
    } cases[] = {
        {"blender-render_0007.png", 1, 9, 1, 7, false},
        {"0007.png", 1, 9, 1, 7, false},
        {"a_000007.PNG", 1, 9, 1, 7, false},
        {"a_0007.exr", 1, 9, 2, 7, false},
        {"a_0006.exr", 1, 9, 2, -1, false},
        {"a_0007_L.exr", 1, 9, 1, 7, true},
        {"a_0007_left.png", 1, 9, 1, 7, true},
        {"a_0007_2.png", 1, 9, 1, 7, true},
        {"a_007.png", 1, 9, 1, -1, false},
        {"a_0007.txt", 1, 9, 1, -1, false},
        {"a_0007", 1, 9, 1, -1, false},
        {"a_0007_.png", 1, 9, 1, -1, false},
        {"a_0012.png", 1, 9, 1, -1, false},
        {"take20007.png", 1, 9, 1, 7, false},
        {"take20007.png", 20000, 20009, 1, 20007, false},
        {"a12345.png", 12345, 12345, 1, 12345, false},
        {"a0_1048574.png", 1048574, 1048574, 1, 1048574, false},
        {"take712345.png", 12345, 12345, 1, 12345, false},
        {"99999999999999990007.png", 1, 9, 1, 7, false},
        {"L_0007_0008.png", 1, 9, 1, 8, false},
        {".png", 1, 9, 1, -1, false},
        {"_.png", 1, 9, 1, -1, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct frame_run run = {cases[i].from, cases[i].to, cases[i].step};
        bool view = false;
        int32_t frame = frame_name_read(cases[i].name, &run, &view);
        if (frame != cases[i].frame || (frame >= 0 && view != cases[i].view))
            fail_msg("%s: frame %d view %d", cases[i].name, (int)frame, view);
    }
}

/* --- The folder. --- */

struct world {
    char dir[64];
    struct proof *proof;
    struct buf seen; /* news as words */
    char files[5000];
    char png[4096];
    size_t png_len;
};

static int set_up(void **state)
{
    static struct world world;
    char why[256];
    snprintf(world.dir, sizeof world.dir, "/tmp/frameq-proof-XXXXXX");
    assert_non_null(mkdtemp(world.dir));
    FILE *file = fopen(PICTURES "/rgb8.png", "r");
    assert_non_null(file);
    world.png_len = fread(world.png, 1, sizeof world.png, file);
    assert_int_equal(fclose(file), 0);
    assert_in_range(world.png_len, 50, sizeof world.png - 1);
    buf_init(&world.seen, 65536);
    world.proof = proof_open(world.dir, why, sizeof why);
    assert_non_null(world.proof);
    *state = &world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;
    proof_close(&world->proof);
    buf_free(&world->seen);
    DIR *dir = opendir(world->dir);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    return rmdir(world->dir);
}

static void write_part(struct world *world, const char *name, size_t len)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", world->dir, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(world->png, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void write_whole(struct world *world, const char *name)
{
    write_part(world, name, world->png_len);
}

static void note(struct world *world, const struct proof_news *news)
{
    if (news->settled) {
        buf_print(&world->seen, "settled ");
        return;
    }
    buf_print(&world->seen, "%d ", (int)news->frame);
    snprintf(world->files, sizeof world->files, "%s", news->files);
}

/* Lists the folder twice, and does all that follows from each listing. */
static void look(struct world *world)
{
    struct proof_news news;
    buf_clear(&world->seen);
    for (int listing = 0; listing < 2; listing++) {
        assert_false(proof_step(world->proof, INT64_MAX, &news));
        while (proof_next(world->proof) == 0)
            if (proof_step(world->proof, 0, &news))
                note(world, &news);
    }
}

#define assert_seen(world, words)                                              \
    do {                                                                       \
        look(world);                                                           \
        assert_string_equal(buf_text(&(world)->seen), words);                  \
    } while (0)

static void begin(struct world *world, int32_t from, int32_t to)
{
    struct frame_run run = {from, to, 1};
    proof_begin(world->proof, 1, &run, clock_now_ms());
}

static void test_whole_pictures_count(void **state)
{
    struct world *world = *state;
    begin(world, 1, 3);
    assert_seen(world, "");
    write_whole(world, "a_0001.png");
    assert_seen(world, "1 ");
    assert_non_null(strstr(world->files, "/a_0001.png\""));
    assert_non_null(strstr(world->files, "\"sha256\":\""));
    write_whole(world, "a_0003.png");
    write_whole(world, "a_0004.png");
    assert_seen(world, "3 ");
    assert_seen(world, "");
}

static void test_old_files_do_not(void **state)
{
    struct world *world = *state;
    write_whole(world, "a_0001.png");
    write_whole(world, "a_0002.png");
    begin(world, 1, 3);
    assert_seen(world, "");
    write_part(world, "a_0002.png", 10);
    write_whole(world, "a_0002.png"); /* the same bytes, written anew */
    assert_seen(world, "2 ");
    assert_true(proof_settle(world->proof, 1));
    assert_seen(world, "settled ");
}

static void test_half_pictures_do_not(void **state)
{
    struct world *world = *state;
    begin(world, 1, 3);
    write_part(world, "a_0001.png", world->png_len / 2);
    write_part(world, "a_0002.png", 0);
    assert_seen(world, "");
    write_whole(world, "a_0001.png");
    assert_seen(world, "1 ");
    proof_settle(world->proof, 1);
    assert_seen(world, "settled ");
}

/* One of two views is not the frame, until the node is past it or done. */
static void test_views(void **state)
{
    struct world *world = *state;
    begin(world, 1, 3);
    write_whole(world, "a_0001_L.png");
    assert_seen(world, "");
    write_whole(world, "a_0001_R.png");
    assert_seen(world, "");
    write_whole(world, "a_0002_L.png");
    assert_seen(world, "1 ");
    assert_non_null(strstr(world->files, "_L.png"));
    assert_non_null(strstr(world->files, "_R.png"));
    write_part(world, "a_0002_R.png", 20);
    write_whole(world, "a_0003_L.png");
    proof_settle(world->proof, 1);
    assert_seen(world, "3 settled ");
}

static void test_settle_looks_at_once(void **state)
{
    struct world *world = *state;
    begin(world, 1, 2);
    assert_seen(world, "");
    write_whole(world, "a_0001.png");
    write_whole(world, "a_0002.png");
    assert_true(proof_settle(world->proof, 1));
    assert_int_equal(proof_next(world->proof), 0);
    assert_seen(world, "1 2 settled ");
    proof_end(world->proof, 1);
    assert_false(proof_settle(world->proof, 1));
    assert_true(proof_next(world->proof) == INT64_MAX);
}

/* After a restart a file counts by when it was written. */
static void test_resume(void **state)
{
    struct world *world = *state;
    struct frame_run run = {1, 3, 1};
    struct stat st;
    char path[128];
    write_whole(world, "a_0001.png");
    snprintf(path, sizeof path, "%s/a_0001.png", world->dir);
    assert_int_equal(stat(path, &st), 0);
    int64_t written_ms =
        (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000;
    proof_resume(world->proof, 1, &run, written_ms + 1);
    assert_seen(world, "");
    proof_end(world->proof, 1);
    proof_resume(world->proof, 1, &run, written_ms);
    assert_seen(world, "1 ");
}

static void test_no_folder(void **state)
{
    char why[256] = "";
    (void)state;
    assert_null(proof_open("/proc/nowhere/at/all", why, sizeof why));
    assert_non_null(strstr(why, "/proc/nowhere"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        TEST(test_whole_pictures_count),
        TEST(test_old_files_do_not),
        TEST(test_half_pictures_do_not),
        TEST(test_views),
        TEST(test_settle_looks_at_once),
        TEST(test_resume),
        cmocka_unit_test(test_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
