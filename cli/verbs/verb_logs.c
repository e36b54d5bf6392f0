/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq logs: what Blender printed of a frame, also while it is rendered; and
 * the first line of it that tells of an error, on stderr.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/doc.h"
#include "cli/job.h"
#include "cli/verbs/verbs.h"
#include "common/blender_log.h"
#include "common/limits.h"
#include "common/text.h"

#define WAIT_S   20  /* of one question, while following */
#define PAUSE_MS 250 /* where there was nothing new */

static const struct setting settings[] = {
    SETTING_BROKER,
    SETTING_JSON,
    {.name = "follow",
     .letter = 'f',
     .help = "Go on while the frame is rendered, from when it begins."},
    {.name = "attempt",
     .argument = "N",
     .check = conf_is_count,
     .help = "The first (1) or a later one of those that are kept, instead of "
             "the last."},
};

static const struct conf_program program = {
    .name = "frameq logs",
    .usage = "JOB FRAME",
    .about = "Prints what Blender printed of a frame. The first line of it "
             "that tells of an error is said again on stderr, with its number.",
    .epilog = "  frameq logs shot_010 7\n"
              "  frameq logs shot_010 8 -f\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 2,
};

struct logs {
    struct cli cli;
    const char *job, *frame; /* the job's id; the frame as typed */
    bool follow, clean;
    char lease[48];  /* of the attempt shown; "": none yet */
    int64_t offset;  /* shown up to there */
    struct buf seen; /* all of that, to look for errors in */
};

/* --- Showing. --- */

/* What may do something to a terminal, or is no UTF-8, becomes '?'. */
static void clean(const char *text, size_t n, struct buf *out)
{
    const char *end = text + n;
    while (text < end) {
        char line[4096];
        const char *stop = memchr(text, '\n', (size_t)(end - text));
        size_t len = (size_t)((stop != NULL ? stop : end) - text);
        text_excerpt(text, len, line, sizeof line);
        buf_print(out, "%s%s", line, stop != NULL ? "\n" : "");
        text += len + 1;
    }
}

static void show_json(const struct logs *logs, const struct log_reply *log)
{
    struct buf text;
    const char *at = NULL;
    buf_init(&text, LIMIT_ANSWER);
    clean(buf_text(&log->text), log->text.len, &text);
    size_t line =
        blender_first_error(buf_text(&logs->seen), logs->seen.len, &at);
    json_t *piece = json_pack(
        "{s:s, s:i, s:s, s:s, s:s, s:I, s:o, s:s}", "job", logs->job, "frame",
        (int)strtol(logs->frame, NULL, 10), "lease", log->lease, "attempt",
        log->attempt, "state", log->live ? "live" : "whole", "offset",
        (json_int_t)log->offset, "first_error",
        line > 0 ? json_integer((json_int_t)line) : json_null(), "text",
        buf_text(&text));
    cli_print_json(piece);
    json_decref(piece);
    buf_free(&text);
}

static void show_text(const struct logs *logs, const struct log_reply *log)
{
    struct buf text;
    buf_init(&text, LIMIT_ANSWER);
    if (logs->clean)
        clean(buf_text(&log->text), log->text.len, &text);
    else
        buf_add(&text, buf_text(&log->text), log->text.len);
    cli_print(&text);
    fflush(stdout);
    buf_free(&text);
}

static void tell_error(const struct logs *logs)
{
    const char *at = NULL;
    char shown[512];
    size_t line =
        blender_first_error(buf_text(&logs->seen), logs->seen.len, &at);
    if (line == 0 || logs->cli.json)
        return;
    text_excerpt(at, strcspn(at, "\n"), shown, sizeof shown);
    fprintf(stderr, "frameq: first error, line %zu: %s\n", line, shown);
}

/* Whether it goes on where the last piece ended; else all is shown anew. */
static bool continues(struct logs *logs, const struct log_reply *log)
{
    if (*logs->lease == '\0' || strcmp(logs->lease, log->lease) == 0)
        return true;
    fprintf(stderr, "frameq: another attempt (lease %s)\n", log->lease);
    *logs->lease = '\0';
    logs->offset = 0;
    buf_clear(&logs->seen);
    return false;
}

static void show(struct logs *logs, const struct log_reply *log)
{
    if (log->offset > logs->offset)
        fprintf(stderr, "frameq: %" PRId64 " bytes before this are not kept\n",
                log->offset - logs->offset);
    snprintf(logs->lease, sizeof logs->lease, "%s", log->lease);
    logs->offset = log->offset + (int64_t)log->text.len;
    (void)buf_add(&logs->seen, buf_text(&log->text), log->text.len);
    if (log->text.len == 0 && log->live)
        return;
    if (logs->cli.json)
        show_json(logs, log);
    else
        show_text(logs, log);
}

/* --- Asking. --- */

static void pause_ms(long ms)
{
    const struct timespec time = {.tv_sec = ms / 1000,
                                  .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Whether a log may still come of the frame. */
static bool is_to_come(struct logs *logs)
{
    json_t *frame = client_get(
        logs->cli.client, client_path(logs->cli.client, "/v1/jobs/%s/frames/%s",
                                      logs->job, logs->frame));
    bool ended = doc_is(frame, "state", "done") ||
                 doc_is(frame, "state", "failed") ||
                 doc_is(frame, "state", "cancelled");
    json_decref(frame);
    return !ended;
}

static const char *path_of(struct logs *logs)
{
    char query[96];
    const char *attempt = cli_get(&logs->cli, "attempt");
    snprintf(query, sizeof query, "?offset=%" PRId64 "%s%s%s", logs->offset,
             attempt != NULL ? "&attempt=" : "", attempt != NULL ? attempt : "",
             logs->follow ? "&wait=20" : "");
    return client_path(logs->cli.client, "/v1/jobs/%s/frames/%s/log%r",
                       logs->job, logs->frame, query);
}

/* Asks once; returns whether there is more to ask for. */
static bool step(struct logs *logs)
{
    struct log_reply log;
    struct reply reply;
    bool there = client_log(logs->cli.client, path_of(logs),
                            logs->follow ? WAIT_S : 0, &log, &reply);
    bool more = false;
    if (there && continues(logs, &log)) {
        show(logs, &log);
        more = logs->follow && log.live;
        if (more && log.text.len == 0)
            pause_ms(PAUSE_MS);
    } else if (there) {
        more = true; /* from its beginning */
    } else {
        more = logs->follow && reply.status == 404 && is_to_come(logs);
        if (!more)
            client_end(logs->cli.client, &reply);
        pause_ms(4 * PAUSE_MS);
    }
    buf_free(&log.text);
    reply_done(&reply);
    return more;
}

_Static_assert(WAIT_S == 20, "path_of says so");

int verb_logs(int argc, char **argv)
{
    struct logs logs = {0};
    cli_open(&logs.cli, &program, argc, argv);
    const char *named = cli_operand(&logs.cli, 0, "JOB");
    cli_operand(&logs.cli, 1, "FRAME");
    logs.frame = cli_frame(&logs.cli, 1);
    logs.follow = cli_on(&logs.cli, "follow");
    logs.clean = isatty(STDOUT_FILENO) == 1;
    buf_init(&logs.seen, LIMIT_ANSWER);
    json_t *job = job_find(&logs.cli, named);
    logs.job = doc_text(job, "id");
    while (step(&logs))
        continue;
    tell_error(&logs);
    buf_free(&logs.seen);
    json_decref(job);
    return cli_close(&logs.cli, CLI_DONE);
}
