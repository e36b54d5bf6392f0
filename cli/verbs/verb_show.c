/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq show: one job in detail, first of all what failed and what to do.
 */
#include <stdio.h>
#include <string.h>

#include "cli/doc.h"
#include "cli/human.h"
#include "cli/job.h"
#include "cli/verbs/verbs.h"
#include "cli/verdict.h"
#include "common/app/clock.h"
#include "common/limits.h"

#define BAR_WIDTH   30
#define LABEL_WIDTH 10

static const struct setting settings[] = {SETTING_BROKER, SETTING_JSON};

static const struct conf_program program = {
    .name = "frameq show",
    .usage = "JOB",
    .about = "Shows one job: its progress, its settings, what failed, why, and "
             "what to do about it.",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 1,
};

/* Appends a line "label     value"; nothing for an empty value. */
static void line(struct buf *out, const char *label, const char *value)
{
    if (*value != '\0')
        buf_print(out, "%-*s%s\n", LABEL_WIDTH, label, value);
}

/* A value of a document as one word: texts, numbers, lists of texts. */
static void value_add(const json_t *value, struct buf *out)
{
    size_t i;
    const json_t *item;
    if (json_is_string(value))
        buf_print(out, "%s", json_string_value(value));
    else if (json_is_number(value))
        buf_print(out, "%.15g", json_number_value(value));
    json_array_foreach(value, i, item)
    {
        buf_print(out, "%s", i > 0 ? ", " : "");
        value_add(item, out);
    }
}

static void member_line(struct buf *out, const char *label,
                        const json_t *object, const char *key)
{
    struct buf value;
    buf_init(&value, LIMIT_SPEC);
    value_add(json_object_get(object, key), &value);
    line(out, label, buf_text(&value));
    buf_free(&value);
}

static void tell_state(const struct cli *cli, const json_t *job,
                       struct buf *out)
{
    const struct term *term = &cli->term;
    const char *state = doc_text(job, "state");
    const struct glyph *glyph = glyph_find(state);
    struct bar bar = job_bar(job);
    struct buf drawn;
    buf_init(&drawn, LIMIT_REASON);
    bar_draw(&bar, term, BAR_WIDTH, &drawn);
    term_paint(term, BOLD, job_label(job), out);
    buf_print(out, "  ");
    term_paint(term, glyph->colour, glyph_text(glyph, term), out);
    buf_print(out, " %s\n", state);
    term_paint(term, glyph->colour, buf_text(&drawn), out);
    buf_print(out, "  %lld/%lld done", (long long)bar.done,
              (long long)bar.total);
    if (bar.leased > 0)
        buf_print(out, ", %lld rendering", (long long)bar.leased);
    if (bar.failed > 0)
        buf_print(out, ", %lld failed", (long long)bar.failed);
    if (bar.cancelled > 0)
        buf_print(out, ", %lld cancelled", (long long)bar.cancelled);
    buf_print(out, "\n\n");
    buf_free(&drawn);
}

static void tell_times(const json_t *job, struct buf *out)
{
    char text[HUMAN_SIZE], most[HUMAN_SIZE], both[3 * HUMAN_SIZE];
    const json_t *seconds = json_object_get(job, "seconds");
    int64_t now_ms = clock_wall_ms();
    line(out, "left", human_left(job, text));
    if (json_is_object(seconds)) {
        snprintf(both, sizeof both, "%s in the middle, %s at most",
                 human_seconds(doc_real(seconds, "p50"), text),
                 human_seconds(doc_real(seconds, "max"), most));
        line(out, "a frame", both);
    }
    static const struct {
        const char *label, *key;
    } times[] = {{"submitted", "created_at"},
                 {"started", "started_at"},
                 {"ended", "ended_at"}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (doc_has(job, times[i].key)) {
            snprintf(both, sizeof both, "%.40s (%s)",
                     doc_text(job, times[i].key),
                     human_ago(doc_time(job, times[i].key), now_ms, text));
            line(out, times[i].label, both);
        }
}

static void tell_settings(const json_t *job, struct buf *out)
{
    static const struct {
        const char *label, *key;
    } members[] = {
        {"id", "id"},
        {"user", "user"},
        {"project", "project"},
        {"priority", "priority"},
        {"frames", "frames"},
        {"blend", "blend"},
        {"pinned", "blend_sha256"},
        {"scene", "scene"},
        {"camera", "camera"},
        {"engine", "engine"},
        {"samples", "samples"},
        {"size", "resolution"},
        {"format", "format"},
        {"output", "output"},
        {"batch", "batch"},
        {"after", "depends_on"},
        {"blender", "blender_versions"},
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        member_line(out, members[i].label, job, members[i].key);
    member_line(out, "tags", json_object_get(job, "requires"), "tags");
    member_line(out, "warning", job, "warnings");
}

/* What to do next, as commands that can be copied. */
static void tell_next(struct cli *cli, const json_t *job, struct buf *out)
{
    const char *state = doc_text(job, "state"), *id = doc_text(job, "id");
    char why[LIMIT_REASON];
    if (job_bar(job).failed > 0)
        buf_print(out,
                  "\nAll of them:   frameq frames %.8s --state failed%s\n"
                  "Render again:  frameq retry %.8s%s\n",
                  id, cli->hint, id, cli->hint);
    else if (strcmp(state, "paused") == 0)
        buf_print(out, "\nLet it go on:  frameq resume %.8s%s\n", id,
                  cli->hint);
    if (job_over(state) || job_bar(job).leased > 0)
        return;
    json_t *agents = client_get(cli->client, "/v1/agents");
    if (strcmp(state, "paused") != 0 &&
        !verdict_agents(json_object_get(agents, "agents"), job, why,
                        sizeof why))
        buf_print(out, "\nNothing renders it: %s.\n", why);
    json_decref(agents);
}

int verb_show(int argc, char **argv)
{
    struct cli cli;
    struct buf out;
    cli_open(&cli, &program, argc, argv);
    json_t *job = job_find(&cli, cli_operand(&cli, 0, "JOB"));
    if (cli.json) {
        cli_print_json(job);
    } else {
        buf_init(&out, LIMIT_ANSWER);
        tell_state(&cli, job, &out);
        line(&out, "reason", doc_text(job, "reason"));
        job_tell_failures(job, &cli.term, &out);
        tell_times(job, &out);
        tell_settings(job, &out);
        tell_next(&cli, job, &out);
        cli_print(&out);
        buf_free(&out);
    }
    json_decref(job);
    return cli_close(&cli, CLI_DONE);
}
