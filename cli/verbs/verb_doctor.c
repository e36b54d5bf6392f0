/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq doctor: what is wrong with this machine, the farm or a .blend, and
 * what to do about it. Mends nothing itself.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/doctor.h"
#include "cli/send/scan.h"
#include "cli/verbs/verbs.h"
#include "common/app/log.h"
#include "common/limits.h"

static const struct setting settings[] = {
    SETTING_BROKER,
    {.name = "blender",
     .argument = "PATH",
     .fallback = "blender",
     .help = "The Blender of this machine. It opens FILE.blend in the "
             "background, with its scripts off."},
    {.name = "output",
     .argument = "DIR",
     .fallback = ".",
     .help = "Where frames are to come on this machine: its disk is looked "
             "at."},
    SETTING_JSON,
};

static const struct conf_program program = {
    .name = "frameq doctor",
    .usage = "[FILE.blend]",
    .about = "Finds what is wrong with this machine, the farm and, where one "
             "is named, a .blend: each fault in one line, the worst first, "
             "and below it what to do. Exit 1 when there are any.",
    .epilog = "  frameq doctor\n"
              "  frameq doctor shot.blend && frameq submit shot.blend -f 1-250"
              "\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 1,
};

static void tell_bad_blend(const char *file, const char *why,
                           struct findings *findings)
{
    struct finding *finding = finding_add(findings, FINDING_BAD_BLEND);
    buf_print(&finding->what, "Blender cannot read %s: %s", file, why);
    buf_print(&finding->mend,
              "Open it in the Blender that saved it and save it again: it may "
              "be cut off, or of a newer Blender than the one here.");
}

/* What Blender tells of the .blend, owned; NULL: it could not. */
static json_t *look_at_blend(const struct cli *cli, const char *file,
                             struct findings *findings)
{
    char path[PATH_MAX], why[512];
    if (realpath(file, path) == NULL)
        log_fatal(CLI_USAGE, "%s: %s", file, strerror(errno));
    struct scan scan = {
        .blend = path, .blender = cli_get(cli, "blender"), .check = true};
    json_t *told = NULL;
    enum run ran = scan_run(&scan, &told, why, sizeof why);
    scan_done(scan.folder);
    if (ran == RUN_WELL)
        doctor_scene(json_object_get(told, "scene"), findings);
    else if (ran == RUN_ABSENT)
        doctor_blender_missing(FINDING_NOT_LOOKED_AT, scan.blender, why,
                               findings);
    else
        tell_bad_blend(file, why, findings);
    return told;
}

/* An artist without a farm yet may still want to know of a .blend. */
static bool is_named(const struct cli *cli)
{
    return conf_given(cli->conf, "broker");
}

static void examine(struct cli *cli, struct findings *findings)
{
    const char *const *files;
    bool blend = conf_operands(cli->conf, &files) > 0;
    json_t *told = blend ? look_at_blend(cli, files[0], findings) : NULL;
    json_t *agents = doctor_broker(cli, !blend || is_named(cli), findings);
    if (told != NULL && agents != NULL)
        doctor_scene_versions(json_object_get(told, "scene"), agents, findings);
    doctor_machine(blend ? NULL : cli_get(cli, "blender"),
                   cli_get(cli, "output"), findings);
    json_decref(agents);
    json_decref(told);
}

int verb_doctor(int argc, char **argv)
{
    struct cli cli;
    struct buf out;
    struct findings findings;
    cli_open(&cli, &program, argc, argv);
    findings_init(&findings);
    buf_init(&out, LIMIT_ANSWER);
    examine(&cli, &findings);
    if (cli.json) {
        json_t *json = findings_json(&findings);
        cli_print_json(json);
        json_decref(json);
    } else {
        findings_write(&findings, &cli.term, &out);
        cli_print(&out);
    }
    int code = findings.faults > 0 ? CLI_FAILED : CLI_DONE;
    buf_free(&out);
    findings_done(&findings);
    return cli_close(&cli, code);
}
