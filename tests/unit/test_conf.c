/* SPDX-License-Identifier: Apache-2.0
 *
 * Settings of a made-up program, each case in a child process of its own: the
 * child prints what it got, the parent compares.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "child.h"
#include "common/app/conf.h"
#include "common/limits.h"

static const char *is_device(const char *value)
{
    static const char *const words[] = {"auto", "cpu", "cuda", NULL};
    return conf_choice(value, words);
}

static const struct setting settings[] = {
    {.name = "http",
     .argument = "ADDR:PORT",
     .fallback = "127.0.0.1:4000",
     .help = "Where HTTP is served, told at such a length that this has to be "
             "wrapped more than once to stay within the columns of a terminal.",
     .check = conf_is_address},
    {.name = "blend-root",
     .argument = "DIR",
     .help = "A folder.",
     .many = true,
     .letter = 'b'},
    {.name = "a-name-that-is-long",
     .argument = "SOMETHING",
     .help = "Has a line of its own."},
    {.name = "count",
     .argument = "N",
     .fallback = "3",
     .help = "How many.",
     .check = conf_is_count},
    {.name = "ttl",
     .argument = "SECONDS",
     .fallback = "0.5",
     .help = "How long.",
     .check = conf_is_seconds},
    {.name = "device",
     .argument = "auto|cpu|cuda",
     .fallback = "auto",
     .help = "What renders.",
     .check = is_device},
    {.name = "insecure", .help = "Do it anyway.", .letter = 'i'},
};

static const struct conf_program program = {
    .name = "frameq-test",
    .usage = "[FILE]",
    .about = "Tests settings.",
    .epilog = "Example:\n  frameq-test -i\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 1,
};

/* One case: words of the command line, variables "NAME=value" before them. */
struct run {
    const char *words[12];
};

static void load_and_print(void *arg)
{
    const struct run *run = arg;
    char *argv[16], name[] = "frameq-test";
    const char *const *many;
    int argc = 0;
    argv[argc++] = name;
    for (size_t i = 0; i < 12 && run->words[i] != NULL; i++)
        if (strncmp(run->words[i], "FRAMEQ_", 7) == 0)
            putenv(strdup(run->words[i]));
        else
            argv[argc++] = strdup(run->words[i]);
    argv[argc] = NULL;
    struct conf *conf = conf_load(&program, argc, argv);
    printf("http=%s", conf_get(conf, "http"));
    size_t n = conf_many(conf, "blend-root", &many);
    for (size_t i = 0; i < n; i++)
        printf(" root=%s", many[i]);
    const char *text = conf_get(conf, "a-name-that-is-long");
    printf(" long=%s count=%d ttl=%d device=%s insecure=%d",
           text == NULL ? "NULL" : text, (int)conf_number(conf, "count"),
           (int)conf_ms(conf, "ttl"), conf_get(conf, "device"),
           conf_on(conf, "insecure"));
    if (conf_operands(conf, &many) > 0)
        printf(" operand=%s", many[0]);
    printf(" given=%d%d\n", conf_given(conf, "http"),
           conf_given(conf, "insecure"));
    conf_free(&conf);
}

#define RUN(...)                                                               \
    (struct run)                                                               \
    {                                                                          \
        {                                                                      \
            __VA_ARGS__                                                        \
        }                                                                      \
    }

static void assert_prints(struct run run, const char *out)
{
    struct child child;
    child_run(&child, load_and_print, &run);
    assert_string_equal(child.err, "");
    assert_string_equal(child.out, out);
    assert_int_equal(child.code, 0);
}

static void assert_refused(struct run run, const char *err)
{
    struct child child;
    child_run(&child, load_and_print, &run);
    assert_string_equal(child.err, err);
    assert_string_equal(child.out, "");
    assert_int_equal(child.code, 2);
}

static char file_path[] = "/tmp/frameq-conf-XXXXXX";

static const char *file_with(const char *text)
{
    FILE *file = fopen(file_path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return file_path;
}

static int make_file(void **state)
{
    (void)state;
    int fd = mkstemp(file_path);
    close(fd);
    return fd < 0;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(file_path);
}

static void test_defaults(void **state)
{
    (void)state;
    assert_prints((struct run){0},
                  "http=127.0.0.1:4000 long=NULL count=3 ttl=500 device=auto "
                  "insecure=0 given=00\n");
}

static void test_flags(void **state)
{
    (void)state;
    assert_prints(RUN("--http=[::1]:1", "-b", "x", "-by", "--blend-root", "-z",
                      "--count", "7", "-i", "file"),
                  "http=[::1]:1 root=x root=y root=-z long=NULL count=7 "
                  "ttl=500 device=auto insecure=1 operand=file given=11\n");
    assert_prints(RUN("--a-name-that-is-long=", "--count=1", "--count=2",
                      "--insecure=true", "--insecure=false"),
                  "http=127.0.0.1:4000 long= count=2 ttl=500 device=auto "
                  "insecure=0 given=01\n");
    assert_prints(RUN("--", "--count"),
                  "http=127.0.0.1:4000 long=NULL count=3 ttl=500 device=auto "
                  "insecure=0 operand=--count given=00\n");
    assert_prints(RUN("-"), "http=127.0.0.1:4000 long=NULL count=3 ttl=500 "
                            "device=auto insecure=0 operand=- given=00\n");
}

static void test_environment(void **state)
{
    (void)state;
    assert_prints(RUN("FRAMEQ_HTTP=1.2.3.4:5", "FRAMEQ_BLEND_ROOT=e",
                      "FRAMEQ_INSECURE=true", "FRAMEQ_COUNT=",
                      "FRAMEQ_VERSION=9", "FRAMEQ_HELP=x", "FRAMEQ_OTHER=y"),
                  "http=1.2.3.4:5 root=e long=NULL count=3 ttl=500 device=auto "
                  "insecure=1 given=11\n");
    assert_prints(RUN("FRAMEQ_INSECURE=1"),
                  "http=127.0.0.1:4000 long=NULL count=3 ttl=500 device=auto "
                  "insecure=1 given=01\n");
    assert_prints(RUN("FRAMEQ_INSECURE=1", "--insecure=0"),
                  "http=127.0.0.1:4000 long=NULL count=3 ttl=500 device=auto "
                  "insecure=0 given=01\n");
}

static void test_file(void **state)
{
    (void)state;
    const char *path = file_with("# comment\n"
                                 "http = \"h:1\"   # and another\n"
                                 "blend-root = a\n"
                                 "blend-root = 'b \"c\"'\n"
                                 "insecure = true\n"
                                 "\n"
                                 "ttl = 2\n");
    assert_prints(RUN("--config", path),
                  "http=h:1 root=a root=b \"c\" long=NULL count=3 ttl=2000 "
                  "device=auto insecure=1 given=11\n");
}

static void test_flag_beats_variable_beats_file(void **state)
{
    (void)state;
    char variable[64];
    const char *path =
        file_with("http = h:1\nblend-root = f\ncount = 1\nttl = 1\n");
    snprintf(variable, sizeof variable, "FRAMEQ_CONFIG=%s", path);
    assert_prints(RUN(variable, "FRAMEQ_HTTP=h:2", "FRAMEQ_COUNT=2",
                      "FRAMEQ_BLEND_ROOT=e", "--http", "h:3", "-b", "g"),
                  "http=h:3 root=g long=NULL count=2 ttl=1000 device=auto "
                  "insecure=0 given=10\n");
}

static void test_refused_flags(void **state)
{
    (void)state;
    assert_refused(RUN("--htpp", "x"),
                   "frameq-test: unknown flag --htpp (did you mean --http?)\n");
    assert_refused(RUN("--insec"), "frameq-test: unknown flag --insec (did "
                                   "you mean --insecure?)\n");
    assert_refused(RUN("--zzzzzz=1"),
                   "frameq-test: unknown flag --zzzzzz=1 (see --help)\n");
    assert_refused(RUN("--HTTP=1"), "frameq-test: unknown flag --HTTP=1 (did "
                                    "you mean --http?)\n");
    assert_refused(RUN("-http", "x"), "frameq-test: unknown flag -http (did "
                                      "you mean --http?)\n");
    assert_refused(RUN("-x"), "frameq-test: unknown flag -x (see --help)\n");
    assert_refused(RUN("-ix"), "frameq-test: unknown flag -ix (see --help)\n");
    assert_refused(RUN("--http"),
                   "frameq-test: --http needs a value: ADDR:PORT\n");
    assert_refused(RUN("-b"), "frameq-test: --blend-root needs a value: DIR\n");
    assert_refused(RUN("a", "b\n"),
                   "frameq-test: unexpected argument `b?` (see --help)\n");
    assert_refused(RUN("--insecure=2"),
                   "frameq-test: --insecure: must be true or false, not `2`\n");
    assert_refused(RUN("--http", "x"),
                   "frameq-test: --http: must be HOST:PORT such as "
                   "127.0.0.1:4000 or [::1]:4000, not `x`\n");
    assert_refused(RUN("--device", "cdua"),
                   "frameq-test: --device: must be auto, cpu or cuda, not "
                   "`cdua` (did you mean cuda?)\n");
    assert_refused(RUN("-b", "a\nb"), "frameq-test: --blend-root: must not "
                                      "have control characters\n");
    assert_refused(RUN("FRAMEQ_COUNT=0"),
                   "frameq-test: FRAMEQ_COUNT: must be a whole number from 1 "
                   "on, not `0`\n");
}

/* The path stands where % does in what is expected. */
static void assert_file_refused(const char *text, const char *reason)
{
    char err[512];
    const char *path = file_with(text), *mark = strchr(reason, '%');
    snprintf(err, sizeof err, "frameq-test: %.*s%s%s\n", (int)(mark - reason),
             reason, path, mark + 1);
    assert_refused(RUN("--config", path), err);
}

static void test_refused_files(void **state)
{
    (void)state;
    assert_file_refused("htp = x\n", "%: unknown key htp (did you mean http?)");
    assert_file_refused("version = 1\n", "%: unknown key version");
    assert_file_refused("config = x\n", "%: unknown key config");
    assert_file_refused("count = 1\ncount = 2\n",
                        "%: count stands there twice");
    assert_file_refused("count = x\n",
                        "%: count: must be a whole number from 1 on, not `x`");
    assert_file_refused("insecure\n",
                        "%: insecure: must be true or false, not ``");
    assert_file_refused("count = 1\n    deep = 2\n",
                        "%: count has keys beneath it");
    assert_file_refused("a b c\n", "%:1: invalid syntax 'b c'");
    assert_file_refused("count = 1\nttl = \"2\n", "%:2: missing \"");
    assert_refused(RUN("--config", "/nonexistent"),
                   "frameq-test: --config: cannot read /nonexistent: No such "
                   "file or directory\n");
    assert_refused(RUN("--config", "/tmp"),
                   "frameq-test: --config: cannot read /tmp: Is a directory\n");
}

static void test_size_of_a_file(void **state)
{
    (void)state;
    static char text[LIMIT_CONF + 2];
    char reason[64];
    memset(text, 'x', LIMIT_CONF_LINE + 1);
    memcpy(text, "blend-root = ", 13);
    assert_file_refused(text, "%:1: the line is longer than 1024 bytes");
    text[LIMIT_CONF_LINE] = '\0';
    struct child child;
    struct run run = RUN("--config", file_with(text));
    child_run(&child, load_and_print, &run);
    assert_int_equal(child.code, 0);
    memset(text, '\n', LIMIT_CONF + 1);
    snprintf(reason, sizeof reason, "--config: %% is larger than %d bytes",
             LIMIT_CONF);
    assert_file_refused(text, reason);
    text[LIMIT_CONF] = '\0';
    run = RUN("--config", file_with(text));
    child_run(&child, load_and_print, &run);
    assert_int_equal(child.code, 0);
}

static void test_print_config_can_be_read_again(void **state)
{
    (void)state;
    struct child first, second;
    struct run run = RUN("--print-config", "-b", "it's", "-b", "say \"hi\"",
                         "-i", "--ttl", "1.5");
    child_run(&first, load_and_print, &run);
    assert_int_equal(first.code, 0);
    assert_string_equal(first.out, "http = \"127.0.0.1:4000\"\n"
                                   "blend-root = \"it's\"\n"
                                   "blend-root = 'say \"hi\"'\n"
                                   "# a-name-that-is-long =\n"
                                   "count = \"3\"\n"
                                   "ttl = \"1.5\"\n"
                                   "device = \"auto\"\n"
                                   "insecure = \"true\"\n");
    run = RUN("--config", file_with(first.out), "--print-config");
    child_run(&second, load_and_print, &run);
    assert_string_equal(second.out, first.out);
    run = RUN("-b", "'\"", "--print-config");
    child_run(&second, load_and_print, &run);
    assert_int_equal(second.code, 1);
}

static void test_help_fits_a_terminal(void **state)
{
    (void)state;
    struct child child;
    struct run run = RUN("--help", "--unknown");
    child_run(&child, load_and_print, &run);
    assert_int_equal(child.code, 0);
    assert_memory_equal(child.out, "Usage: frameq-test [FLAG]... [FILE]\n", 36);
    assert_non_null(strstr(child.out, "\n  -b, --blend-root DIR    A folder. "
                                      "May be given again.\n"));
    assert_non_null(strstr(child.out, "\n      --count N           How many. "
                                      "(default: 3)\n"));
    assert_non_null(strstr(child.out,
                           "\n      --a-name-that-is-long SOMETHING\n"
                           "                          Has a line"));
    assert_non_null(strstr(child.out, "\nExample:\n  frameq-test -i\n"));
    for (const char *line = child.out; *line != '\0';) {
        size_t len = strcspn(line, "\n");
        assert_true(len <= 80);
        line += len + 1;
    }
}

static void test_version(void **state)
{
    (void)state;
    assert_prints(RUN("--version"), "frameq-test " FRAMEQ_VERSION "\n");
}

static void test_make_dir(void **state)
{
    (void)state;
    char root[] = "/tmp/frameq-dir-XXXXXX", path[128];
    struct stat info;
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof path, "%s/a//b/c/", root);
    assert_true(conf_make_dir(path));
    assert_true(conf_make_dir(path));
    assert_int_equal(stat(path, &info), 0);
    assert_true(S_ISDIR(info.st_mode));
    assert_true(conf_make_dir("/"));
    assert_false(conf_make_dir(""));
    assert_false(conf_make_dir("/proc/none/here"));
    snprintf(path, sizeof path, "%s/a/b/c/file", root);
    fclose(fopen(path, "w"));
    assert_false(conf_make_dir(path));
    assert_int_equal(errno, ENOTDIR);
    unlink(path);
    static const char *const parts[] = {"/a/b/c", "/a/b", "/a", ""};
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s%s", root, parts[i]);
        assert_int_equal(rmdir(path), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_flags),
        cmocka_unit_test(test_environment),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_flag_beats_variable_beats_file),
        cmocka_unit_test(test_refused_flags),
        cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_size_of_a_file),
        cmocka_unit_test(test_print_config_can_be_read_again),
        cmocka_unit_test(test_help_fits_a_terminal),
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_make_dir),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
