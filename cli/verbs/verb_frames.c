/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq frames: every frame of a job in a row of its own, then which frames
 * are in which state, and of which version of the .blend.
 */
#include <string.h>

#include "cli/doc.h"
#include "cli/human.h"
#include "cli/job.h"
#include "cli/table.h"
#include "cli/verbs/verbs.h"
#include "common/frames.h"
#include "common/limits.h"

/* What a job's frames can be; the first FILTERS are what the broker sorts out
 * (a frame that renders is a leased one). */
static const char *const states[] = {"pending", "leased",    "done",
                                     "failed",  "cancelled", "rendering"};
#define STATES  6
#define FILTERS 5

#define RANGES_SHOWN 40

static const char *is_state(const char *value)
{
    static const char *words[FILTERS + 1];
    memcpy(words, states, FILTERS * sizeof *states);
    return conf_choice(value, words);
}

static const struct setting settings[] = {
    SETTING_BROKER,
    SETTING_JSON,
    {.name = "state",
     .argument = "STATE",
     .check = is_state,
     .help =
         "Only frames that are pending, leased, done, failed or cancelled."},

};

static const struct conf_program program = {
    .name = "frameq frames",
    .usage = "JOB",
    .about = "Lists the frames of a job: state, time, agent, and the file or "
             "why there is none.",
    .epilog = "  frameq frames shot_010 --state failed\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 1,
};

static json_t *frames_get(struct cli *cli, const char *id)
{
    const char *state = cli_get(cli, "state");
    const char *path =
        client_path(cli->client,
                    state != NULL ? "/v1/jobs/%s/frames?limit=1000&state=%s"
                                  : "/v1/jobs/%s/frames?limit=1000",
                    id, state);
    return client_list(cli->client, path, "frames", "from", LIMIT_FRAMES);
}

static void row_add(struct table *table, const struct term *term,
                    const json_t *frame)
{
    char seconds[HUMAN_SIZE];
    const json_t *files = json_object_get(frame, "files");
    const char *path = doc_text(json_array_get(files, 0), "path");
    size_t n = json_array_size(files);
    table_cell(table, PLAIN, "%lld", (long long)doc_int(frame, "frame"));
    table_state(table, term, doc_text(frame, "state"));
    table_cell(table, PLAIN, "%s",
               doc_real(frame, "seconds") > 0
                   ? human_seconds(doc_real(frame, "seconds"), seconds)
                   : "");
    table_cell(table, PLAIN, "%s", doc_text(frame, "agent"));
    table_count(table, PLAIN, doc_int(frame, "attempts"));
    if (n > 1)
        table_cell(table, PLAIN, "%s (and %zu more)", path, n - 1);
    else if (n == 1 || !doc_has(frame, "fault"))
        table_cell(table, PLAIN, "%s", path);
    else
        table_cell(table, PLAIN, "%s: %s", doc_text(frame, "fault"),
                   doc_text(frame, "text"));
}

static void table_print(const struct cli *cli, const json_t *frames,
                        struct buf *out)
{
    static const struct column columns[] = {
        {"frame", 0, true, false}, {"state", 0, false, false},
        {"time", 0, true, true},   {"agent", 8, false, true},
        {"faults", 0, true, true}, {"file", 16, false, false},
    };
    struct table *table = table_new(columns, sizeof columns / sizeof *columns);
    size_t i;
    const json_t *frame;
    json_array_foreach(frames, i, frame) row_add(table, &cli->term, frame);
    table_write(table, &cli->term, out);
    table_free(&table);
}

/* The numbers of the frames whose member key is value. */
static void select_frames(const json_t *frames, const char *key,
                          const char *value, struct ranges *ret)
{
    size_t i;
    const json_t *frame;
    json_array_foreach(frames, i, frame)
    {
        int64_t number = doc_int(frame, "frame");
        if (doc_is(frame, key, value) && number >= 0 &&
            number <= LIMIT_FRAME_MAX)
            ranges_add(ret, (int32_t)number, (int32_t)number + 1);
    }
}

static void list_frames(const struct ranges *set, struct buf *out)
{
    struct frames all = {0};
    frames_span(&all, 0, LIMIT_FRAME_MAX, 1); /* ordinal = number */
    frames_list(&all, set, RANGES_SHOWN, out);
    buf_print(out, "\n");
    frames_free(&all);
}

/* Appends "3 failed: 7, 9-10" for the frames in one state. */
static void tell_ranges(const struct term *term, const json_t *frames,
                        const char *state, struct buf *out)
{
    struct ranges set = {0};
    select_frames(frames, "state", state, &set);
    if (set.count > 0) {
        buf_print(out, "%s %d %s: ", glyph_text(glyph_find(state), term),
                  (int)set.count, state);
        list_frames(&set, out);
    }
    ranges_free(&set);
}

/* The hashes of the .blend that frames were rendered from, in that order. */
static json_t *find_versions(const json_t *frames)
{
    size_t i;
    const json_t *frame;
    json_t *found = json_object();
    json_array_foreach(frames, i, frame)
    {
        const char *version = doc_text(frame, "blend_sha256");
        if (*version != '\0')
            json_object_set_new(found, version, json_true());
    }
    return found;
}

/* Says which frames are of which version, where the .blend has changed under
 * the job. */
static void tell_versions(const json_t *frames, struct buf *out)
{
    const char *version;
    json_t *found = find_versions(frames), *unused;
    if (json_object_size(found) > 1) {
        buf_print(out, "\nThe .blend has changed under this job:\n");
        json_object_foreach(found, version, unused)
        {
            struct ranges set = {0};
            select_frames(frames, "blend_sha256", version, &set);
            buf_print(out, "%.12s: ", version);
            list_frames(&set, out);
            ranges_free(&set);
        }
    }
    json_decref(found);
}

static void print_frames(const struct cli *cli, json_t *frames)
{
    if (cli->json) {
        json_t *whole = json_pack("{s:O}", "frames", frames);
        cli_print_json(whole);
        json_decref(whole);
        return;
    }
    struct buf out;
    buf_init(&out, LIMIT_ANSWER);
    if (json_array_size(frames) > 0)
        table_print(cli, frames, &out);
    else
        buf_print(&out, "No such frames.\n");
    for (int i = 0; i < STATES; i++)
        tell_ranges(&cli->term, frames, states[i], &out);
    tell_versions(frames, &out);
    cli_print(&out);
    buf_free(&out);
}

int verb_frames(int argc, char **argv)
{
    struct cli cli;
    cli_open(&cli, &program, argc, argv);
    json_t *job = job_find(&cli, cli_operand(&cli, 0, "JOB"));
    json_t *frames = frames_get(&cli, doc_text(job, "id"));
    print_frames(&cli, frames);
    json_decref(frames);
    json_decref(job);
    return cli_close(&cli, CLI_DONE);
}
