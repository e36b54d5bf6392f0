/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq explain: why a job, or one frame of it, runs where it runs or waits.
 * The broker knows; this only lays it out.
 */
#include <stdio.h>
#include <string.h>

#include "cli/doc.h"
#include "cli/human.h"
#include "cli/job.h"
#include "cli/verbs/verbs.h"
#include "common/app/clock.h"
#include "common/limits.h"

#define NAMES_SHOWN 5 /* agents of one reason named one by one */

static const struct setting settings[] = {SETTING_BROKER, SETTING_JSON};

static const struct conf_program program = {
    .name = "frameq explain",
    .usage = "JOB [FRAME]",
    .about = "Says why a job, or one frame of it, runs where it runs, or why "
             "it waits, and what to do about it.",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 2,
};

/* Whether an earlier agent of the list has the same reason. */
static bool told_before(const json_t *agents, size_t at)
{
    const char *text = doc_text(json_array_get(agents, at), "text");
    for (size_t i = 0; i < at; i++)
        if (doc_is(json_array_get(agents, i), "text", text))
            return true;
    return false;
}

static void tell_reason(const json_t *agents, size_t from, struct buf *out)
{
    const json_t *first = json_array_get(agents, from);
    const char *text = doc_text(first, "text");
    size_t n = 0;
    for (size_t i = from; i < json_array_size(agents); i++) {
        const json_t *agent = json_array_get(agents, i);
        if (!doc_is(agent, "text", text))
            continue;
        if (n++ < NAMES_SHOWN)
            buf_print(out, "%s%s", n == 1 ? "  " : ", ",
                      doc_text(agent, "agent"));
    }
    if (n > NAMES_SHOWN)
        buf_print(out, " and %zu more", n - NAMES_SHOWN);
    buf_print(out, ": %s\n", text);
    if (doc_has(first, "remedy"))
        buf_print(out, "      %s\n", doc_text(first, "remedy"));
}

static void tell_agents(const json_t *view, struct buf *out)
{
    const json_t *agents = json_object_get(view, "agents");
    if (json_array_size(agents) > 0)
        buf_print(out, "\nAgents\n");
    for (size_t i = 0; i < json_array_size(agents); i++)
        if (!told_before(agents, i))
            tell_reason(agents, i, out);
}

static void tell_waits(const json_t *view, struct buf *out)
{
    size_t i;
    const json_t *job;
    json_array_foreach(json_object_get(view, "waits_for"), i, job)
    {
        const char *name = doc_text(job, "name");
        buf_print(out, "%s  %.8s  %s  %s\n", i == 0 ? "\nWaits for\n" : "",
                  doc_text(job, "job"), doc_text(job, "state"), name);
    }
}

static void tell_leases(const json_t *view, struct buf *out)
{
    char ago[HUMAN_SIZE];
    size_t i;
    const json_t *lease;
    json_array_foreach(json_object_get(view, "leases"), i, lease)
    {
        buf_print(out, "%s  %s has %s, since %s%s: %s",
                  i == 0 ? "\nRenders\n" : "", doc_text(lease, "agent"),
                  doc_text(lease, "frames"),
                  human_ago(doc_time(lease, "since"), clock_wall_ms(), ago),
                  doc_on(lease, "second_copy") ? ", a second copy" : "",
                  doc_text(lease, "text"));
        if (doc_has(lease, "expected_at"))
            buf_print(out, "; expected by %s", doc_text(lease, "expected_at"));
        buf_print(out, "\n");
    }
}

static void names_add(const json_t *view, const char *key, const char *what,
                      struct buf *out)
{
    size_t i;
    const json_t *name;
    json_array_foreach(json_object_get(view, key), i, name)
        buf_print(out, "%s%s", i == 0 ? what : ", ", json_string_value(name));
    if (json_array_size(json_object_get(view, key)) > 0)
        buf_print(out, "\n");
}

static void tell_attempts(const json_t *view, struct buf *out)
{
    if (!doc_has(view, "fault"))
        return;
    buf_print(out, "\nFailed attempts: %lld of %lld; the last: %s: %s\n",
              (long long)doc_int(view, "attempts"),
              (long long)doc_int(view, "max_attempts"), doc_text(view, "fault"),
              doc_text(view, "fault_text"));
    if (doc_has(view, "fault_remedy"))
        buf_print(out, "      %s\n", doc_text(view, "fault_remedy"));
    names_add(view, "failed_by", "  failed at: ", out);
    names_add(view, "lost_by", "  went down with it: ", out);
}

/* A reason that only says the state again is left out. */
static void tell_why(const char *state, const char *why, struct buf *out)
{
    const char *rest = strncmp(why, "it is ", 6) == 0 ? why + 6 : why;
    bool again = strcmp(rest, state) == 0 || strcmp(why, "it has ended") == 0;
    buf_print(out, " is %s%s%s.\n", state, again ? "" : ": ", again ? "" : why);
}

static void tell(struct cli *cli, const json_t *view, struct buf *out)
{
    const char *name = doc_text(view, "name");
    term_paint(&cli->term, BOLD, *name ? name : doc_text(view, "job"), out);
    if (doc_has(view, "frame"))
        buf_print(out, " frame %lld", (long long)doc_int(view, "frame"));
    tell_why(doc_text(view, "state"), doc_text(view, "text"), out);
    if (doc_has(view, "remedy"))
        buf_print(out, "  What to do: %s.\n", doc_text(view, "remedy"));
    tell_waits(view, out);
    tell_leases(view, out);
    tell_agents(view, out);
    tell_attempts(view, out);
}

static const char *path_of(struct cli *cli, const json_t *job)
{
    const char *id = doc_text(job, "id");
    const char *frame = cli_frame(cli, 1);
    if (frame == NULL)
        return client_path(cli->client, "/v1/jobs/%s/explain", id);
    return client_path(cli->client, "/v1/jobs/%s/frames/%s/explain", id, frame);
}

int verb_explain(int argc, char **argv)
{
    struct cli cli;
    struct buf out;
    cli_open(&cli, &program, argc, argv);
    const char *named = cli_operand(&cli, 0, "JOB");
    cli_frame(&cli, 1);
    json_t *job = job_find(&cli, named);
    json_t *view = client_get(cli.client, path_of(&cli, job));
    if (cli.json) {
        cli_print_json(view);
    } else {
        buf_init(&out, LIMIT_ANSWER);
        tell(&cli, view, &out);
        cli_print(&out);
        buf_free(&out);
    }
    json_decref(view);
    json_decref(job);
    return cli_close(&cli, CLI_DONE);
}
