/* SPDX-License-Identifier: Apache-2.0
 *
 * What the flags of submit make.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "cli/send/submit_body.h"

#define ARGS_MOST 40

static void expect(const char *const *flags, const char *json)
{
    char *argv[ARGS_MOST] = {0}, name[] = "submit";
    int argc = 0;
    argv[argc++] = name;
    for (; *flags != NULL; flags++)
        argv[argc++] = strdup(*flags);
    struct conf_program program = {.name = "frameq submit",
                                   .about = "",
                                   .settings = submit_settings,
                                   .n = submit_settings_n};
    struct conf *conf = conf_load(&program, argc, argv);
    json_t *body = submit_body(conf), *wanted = json_loads(json, 0, NULL);
    assert_non_null(wanted);
    if (!json_equal(body, wanted))
        fail_msg("%s", json_dumps(body, 0));
    json_decref(wanted);
    json_decref(body);
    conf_free(&conf);
    while (--argc > 0)
        free(argv[argc]);
}

static void test_plain(void **state)
{
    (void)state;
    expect((const char *[]){"-f", "1-250", NULL}, "{\"frames\":\"1-250\"}");
    expect((const char *[]){"-f1-5", "--priority=0", NULL},
           "{\"frames\":\"1-5\",\"priority\":0}");
    expect((const char *[]){"-f", "5", "--batch", "auto", NULL},
           "{\"frames\":\"5\",\"batch\":\"auto\"}");
    expect((const char *[]){"-f", "5", "--format", "png", "--engine", "Cycles",
                            NULL},
           "{\"frames\":\"5\",\"format\":\"PNG\",\"engine\":\"CYCLES\"}");
}

static void test_all(void **state)
{
    (void)state;
    expect((const char *[]){"--frames",        "1-9x2",  "--name",      "7",
                            "--priority",      "80",     "--batch",     "5",
                            "--engine",        "CYCLES", "--samples",   "32",
                            "--resolution",    "50%",    "--format",    "PNG",
                            "--output",        "a/####", "--scene",     "S",
                            "--camera",        "C",      "--tag",       "gpu",
                            "--tag",           "fast",   "--memory-mb", "64",
                            "--missing-files", "allow",  "--scripts",   "on",
                            "--paused",        NULL},
           "{\"frames\":\"1-9x2\",\"name\":\"7\",\"priority\":80,\"batch\":5,"
           "\"engine\":\"CYCLES\",\"samples\":32,\"resolution\":\"50%\","
           "\"format\":\"PNG\",\"output\":\"a/####\",\"scene\":\"S\","
           "\"camera\":\"C\",\"missing_files\":\"allow\",\"scripts\":\"on\","
           "\"paused\":true,"
           "\"requires\":{\"tags\":[\"gpu\",\"fast\"],\"memory_mb\":64}}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
