/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq watch: follows the feed. Each connection begins with the
 * subscription, then a snapshot by HTTP; events are then shown by number, each
 * once. What was missed cannot be had again: it is said, and a new snapshot
 * taken.
 */
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/doc.h"
#include "cli/job.h"
#include "cli/verbs/verbs.h"
#include "cli/watch/board.h"
#include "cli/watch/console.h"
#include "cli/watch/event.h"
#include "cli/watch/feed.h"
#include "cli/watch/mirror.h"
#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/limits.h"
#include "common/mem.h"

#define CONNECTING "connecting ..." /* what the board says until it is */
#define OPEN_MS    5000 /* without a feed by then the reason is said */
#define RETRY_MS   500
#define DRAW_MS    100
#define REFRESH_MS 5000 /* fresh documents for the eta */
#define STALE_MS   1000 /* the same when counts are no longer exact */

static const struct setting settings[] = {
    SETTING_BROKER,
    {.name = "json",
     .help = "One event a line, all its members, as the feed "
             "has them."},
};

static const struct conf_program program = {
    .name = "frameq watch",
    .usage = "[JOB]",
    .about = "Follows the farm live, or one job to its end: over a whole "
             "terminal, with keys to choose, open, pause, retry and cancel "
             "jobs (? lists them), else a line an event. Exit with a JOB: 0 "
             "completed, 1 failed or cancelled, 130 left before that.",
    .epilog = "  frameq watch shot_010\n"
              "  frameq watch --json | jq -c 'select(.type == \"frame\")'\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
    .operands_max = 1,
};

struct watch {
    struct cli cli;
    json_t *job; /* the one watched, as last read; NULL: all */
    struct feed *feed;
    struct mirror mirror;
    struct board board;
    bool full;  /* the board is shown, on the whole terminal */
    bool drawn; /* nothing changed since it was */
    int64_t drawn_ms, fresh_ms;
};

static const char *watch_id(const struct watch *watch)
{
    return watch->job == NULL ? NULL : doc_text(watch->job, "id");
}

/* Says something on stderr, or in the last line of the board. */
__attribute__((format(printf, 2, 3))) static void say(struct watch *watch,
                                                      const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (watch->full) {
        vsnprintf(watch->board.note, sizeof watch->board.note, format, args);
        watch->drawn = false;
    } else {
        fputs("frameq: ", stderr);
        vfprintf(stderr, format, args);
        fputc('\n', stderr);
    }
    va_end(args);
}

/* Before the program is ended from within: an open socket would keep exit
 * waiting for ever. */
static void give_up(struct watch *watch)
{
    console_close();
    feed_close(&watch->feed);
}

/* GET without ending the program when nobody answers: NULL then. */
static json_t *get(struct watch *watch, const char *path)
{
    struct ask ask = {.method = "GET", .path = path};
    struct reply reply;
    client_ask(watch->cli.client, &ask, &reply);
    bool gone = reply.status == 0 || reply.status >= 500;
    if (!gone && (reply.status != 200 || !client_is_broker(&reply))) {
        give_up(watch);
        client_end(watch->cli.client, &reply);
    }
    if (gone) {
        reply_done(&reply);
        return NULL;
    }
    return reply.json;
}

static json_t *get_job(struct watch *watch, const char *id)
{
    return get(watch, client_path(watch->cli.client, "/v1/jobs/%s", id));
}

/* The documents of the jobs that are shown, as a list; NULL: broker gone. */
static json_t *get_jobs(struct watch *watch)
{
    static const char *const paths[] = {
        "/v1/jobs?limit=20&state=running",
        "/v1/jobs?limit=20&state=queued,paused",
        "/v1/jobs?limit=10&state=failed", /* to be retried, on the board */
    };
    size_t n = sizeof paths / sizeof *paths - (watch->full ? 0 : 1);
    json_t *jobs = json_array();
    if (watch->job != NULL) {
        json_t *job = get_job(watch, watch_id(watch));
        json_decref(jobs);
        return job == NULL ? NULL : json_pack("[o]", job);
    }
    for (size_t i = 0; i < n; i++) {
        json_t *page = get(watch, paths[i]);
        json_array_extend(jobs, json_object_get(page, "jobs"));
        json_decref(page);
    }
    return jobs;
}

/* Makes job (borrowed, may be NULL) the last word on the one watched. */
static void keep_job(struct watch *watch, json_t *job)
{
    if (watch->job == NULL || job == NULL)
        return;
    json_incref(job);
    json_decref(watch->job);
    watch->job = job;
}

/* --- The board. --- */

/* Reads the shown jobs' documents anew: only the broker knows the eta. */
static void refresh(struct watch *watch, int64_t now_ms)
{
    size_t i;
    json_t *job, *jobs;
    int64_t due_ms = watch->mirror.stale ? STALE_MS : REFRESH_MS;
    if (watch->fresh_ms == 0 || now_ms - watch->fresh_ms < due_ms ||
        (jobs = get_jobs(watch)) == NULL)
        return;
    json_array_foreach(jobs, i, job) mirror_put_job(&watch->mirror, job);
    json_decref(jobs);
    watch->mirror.stale = false;
    watch->fresh_ms = now_ms;
    watch->drawn = false;
}

static void draw(struct watch *watch)
{
    struct buf lines;
    int64_t now_ms = clock_now_ms();
    if (!watch->full)
        return;
    bool resized = console_resized();
    if (!resized && (watch->drawn || now_ms - watch->drawn_ms < DRAW_MS))
        return;
    term_look(&watch->cli.term, STDOUT_FILENO);
    watch->board.rows = console_rows();
    buf_init(&lines, LIMIT_ANSWER);
    board_draw(&watch->board, &lines);
    console_draw(&lines);
    buf_free(&lines);
    watch->drawn = true;
    watch->drawn_ms = now_ms;
}

/* Sends what a key asks for, and says what became of it. */
static void order(struct watch *watch, struct ask *ask, const char *label,
                  const char *done)
{
    struct reply reply;
    client_ask(watch->cli.client, ask, &reply);
    if (reply.status == 0)
        say(watch, "no broker answers; nothing was done");
    else if (reply.status >= 300 || !client_is_broker(&reply))
        say(watch, "%s", *reply.why != '\0' ? reply.why : "refused");
    else
        say(watch, "%.80s %s", label, done);
    if (reply.status < 300 && doc_has(reply.json, "counts"))
        mirror_put_job(&watch->mirror, reply.json);
    reply_done(&reply);
}

static void pause_job(struct watch *watch, const json_t *job)
{
    bool paused = doc_is(job, "state", "paused") || doc_on(job, "paused");
    json_t *body = json_pack("{s:b}", "paused", !paused);
    struct ask ask = {.method = "PATCH",
                      .path = client_path(watch->cli.client, "/v1/jobs/%s",
                                          doc_text(job, "id")),
                      .body = body};
    order(watch, &ask, job_label(job), paused ? "goes on" : "is paused");
    json_decref(body);
}

static void retry_job(struct watch *watch, const json_t *job)
{
    json_t *body = json_pack("{s:s}", "state", "failed");
    struct ask ask = {.method = "POST",
                      .path = client_path(watch->cli.client,
                                          "/v1/jobs/%s/frames:retry",
                                          doc_text(job, "id")),
                      .body = body};
    order(watch, &ask, job_label(job), "renders its failed frames again");
    json_decref(body);
}

static void cancel_job(struct watch *watch, const json_t *job)
{
    json_t *body = json_object();
    struct ask ask = {.method = "POST",
                      .path =
                          client_path(watch->cli.client, "/v1/jobs/%s:cancel",
                                      doc_text(job, "id")),
                      .body = body};
    order(watch, &ask, job_label(job), "is cancelled");
    json_decref(body);
}

/* Who leaves a job before its end does not know how it will end. */
__attribute__((noreturn)) static void quit(struct watch *watch)
{
    give_up(watch);
    exit(watch->job == NULL ? CLI_DONE : CLI_INTERRUPTED);
}

/* Does what was typed meanwhile. */
static void take_keys(struct watch *watch)
{
    for (int key; (key = console_key()) != KEY_NONE;) {
        enum board_act act = board_key(&watch->board, key);
        /* Owned: the answer to an order may replace it. */
        json_t *job =
            json_incref((json_t *)(uintptr_t)board_job(&watch->board));
        watch->drawn = false;
        watch->drawn_ms = 0;
        if (act == BOARD_QUIT)
            quit(watch);
        else if (act == BOARD_PAUSE && job != NULL)
            pause_job(watch, job);
        else if (act == BOARD_RETRY && job != NULL)
            retry_job(watch, job);
        else if (act == BOARD_CANCEL && job != NULL)
            cancel_job(watch, job);
        json_decref(job);
    }
}

/* Waits for the feed's next news, keys and the board seen to. */
static enum feed_news next(struct watch *watch, int wait_ms, json_t **ret)
{
    draw(watch);
    enum feed_news news = feed_next(watch->feed, console_input(), wait_ms, ret);
    take_keys(watch);
    return news;
}

/* --- The connection. --- */

/* Takes a snapshot and says what lies between it and what was shown before.
 * Returns false when the broker is gone. */
static bool snapshot(struct watch *watch)
{
    json_t *farm = get(watch, "/v1/farm"), *answer = get(watch, "/v1/agents");
    json_t *jobs = get_jobs(watch);
    bool whole = farm != NULL && answer != NULL && jobs != NULL;
    struct mirror before = watch->mirror; /* numbers only */
    if (whole) {
        mirror_take(&watch->mirror, farm, jobs,
                    json_object_get(answer, "agents"));
        keep_job(watch, json_array_get(jobs, 0));
        watch->fresh_ms = clock_now_ms();
        watch->drawn = false;
    }
    json_decref(jobs);
    json_decref(answer);
    json_decref(farm);
    if (!whole || before.epoch == 0)
        return whole;
    int64_t missed = mirror_missed(&before, watch->mirror.seq);
    if (watch->mirror.epoch != before.epoch)
        say(watch, "the broker has restarted; took a new snapshot");
    else if (missed > 0)
        say(watch, "missed %lld events, took a new snapshot",
            (long long)missed);
    return true;
}

/* Where the feed is and what keys it takes: {"port"} and, where the farm has
 * keys, those of GET /v1/feed. NULL: broker gone. */
static json_t *get_feed(struct watch *watch)
{
    json_t *farm = get(watch, "/v1/farm"), *feed = NULL;
    if (farm != NULL && doc_has(farm, "server_key"))
        feed = get(watch, "/v1/feed");
    else if (farm != NULL)
        feed = json_pack("{s:I}", "port",
                         doc_int(json_object_get(farm, "ports"), "feed"));
    json_decref(farm);
    return feed;
}

/* Waits until the feed is there. Returns false when the broker is gone. */
static bool await_feed(struct watch *watch, const char *host,
                       const json_t *facts)
{
    json_t *unused = NULL;
    for (int waited_ms = 0;; waited_ms += RETRY_MS) {
        enum feed_news news = next(watch, RETRY_MS, &unused);
        if (news == FEED_OPEN)
            return true;
        if (news == FEED_EVENT)
            json_decref(unused);
        if (waited_ms == OPEN_MS)
            say(watch,
                "no feed at tcp://%s:%d yet (does a firewall stand between?); "
                "waiting",
                host, (int)doc_int(facts, "port"));
        if (waited_ms < OPEN_MS)
            continue;
        json_t *now = get_feed(watch);
        bool same = json_equal(now, facts);
        json_decref(now);
        if (!same) /* gone, or it has come back with another port or key */
            return false;
    }
}

/* Connects to the feed the broker names. Returns false when it is gone. */
static bool open_feed(struct watch *watch)
{
    json_t *facts = get_feed(watch);
    if (facts == NULL)
        return false;
    const char *host = client_host(watch->cli.client);
    watch->feed = feed_open(host, facts);
    if (watch->feed == NULL)
        log_fatal(CLI_FAILED, "no ZeroMQ socket to tcp://%s:%d", host,
                  (int)doc_int(facts, "port"));
    bool open = await_feed(watch, host, facts);
    json_decref(facts);
    return open;
}

/* Connects and takes a snapshot, however long the broker stays away. */
static void connect_again(struct watch *watch)
{
    bool told = false;
    for (;;) {
        feed_close(&watch->feed);
        if (open_feed(watch) && snapshot(watch))
            break;
        if (!told)
            say(watch, "the broker is gone; waiting for it (agents render on)");
        told = true;
        draw(watch);
        poll(&(struct pollfd){.fd = console_input(), .events = POLLIN}, 1,
             RETRY_MS);
        take_keys(watch);
    }
    if (told)
        say(watch, "the broker is back");
    else if (strcmp(watch->board.note, CONNECTING) == 0)
        watch->board.note[0] = '\0';
}

/* Tells an event in a line of its own, or the board. */
static void tell(struct watch *watch, const json_t *event)
{
    struct buf line;
    struct term plain = watch->cli.term;
    plain.colour = plain.colour && !watch->full; /* lines are cut to fit */
    buf_init(&line, LIMIT_SPEC);
    bool told = event_tell(event, &plain, &line);
    if (told && watch->full) {
        char *text = buf_take(&line);
        text[strcspn(text, "\n")] = '\0';
        board_recent(&watch->board, doc_text(event, "job"), text);
        mem_free(text);
    } else {
        cli_print(&line);
        fflush(stdout);
    }
    buf_free(&line);
}

static void show(struct watch *watch, const json_t *event)
{
    bool wanted = watch->job == NULL || event_is_of(event, watch_id(watch));
    watch->drawn = false;
    if (!wanted)
        return;
    bool last = watch->job != NULL && doc_is(event, "change", "ended");
    if (watch->cli.json)
        cli_print_json(event);
    else if (!last) /* end() says how it ended, in full */
        tell(watch, event);
}

static bool has_ended(const struct watch *watch)
{
    return watch->job != NULL && job_over(doc_text(watch->job, "state"));
}

/* What the watched job's own events say of it. */
static void note_job(struct watch *watch, const json_t *event)
{
    if (watch->job == NULL || !doc_is(event, "type", "job") ||
        !event_is_of(event, watch_id(watch)))
        return;
    if (doc_is(event, "change", "forgotten")) {
        give_up(watch);
        log_fatal(CLI_REFUSED, "the job has been removed");
    }
    if (job_over(doc_text(event, "state"))) {
        json_t *job = get_job(watch, watch_id(watch));
        keep_job(watch, job);
        json_decref(job);
    }
}

/* Folds one event in (taken) and shows it. Returns false when the connection
 * must be made anew. */
static bool take(struct watch *watch, json_t *event)
{
    bool sound = true;
    if (!watch->cli.json)
        doc_clean(event);
    switch (mirror_apply(&watch->mirror, event)) {
    case MIRROR_APPLIED:
        show(watch, event);
        note_job(watch, event);
        break;
    case MIRROR_OLD:
        break;
    case MIRROR_GAP:
        sound = snapshot(watch);
        break;
    case MIRROR_RESTARTED:
        sound = false;
        break;
    }
    json_decref(event);
    return sound;
}

/* Who reads a pipe may leave it long before there is more to write. */
static void check_reader(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};
    if (poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLNVAL)) != 0) {
        raise(SIGPIPE);
        log_fatal(CLI_FAILED, "cannot write to stdout");
    }
}

/* Shows events until the watched job has ended or the connection is lost. */
static void follow(struct watch *watch)
{
    json_t *event = NULL;
    while (!has_ended(watch)) {
        if (watch->full)
            refresh(watch, clock_now_ms());
        int wait_ms = watch->full && !watch->drawn ? DRAW_MS : STALE_MS;
        enum feed_news news = next(watch, wait_ms, &event);
        check_reader();
        if (news == FEED_LOST || (news == FEED_EVENT && !take(watch, event)))
            return;
    }
}

/* Says how the job ended and returns the exit code. */
static int end(struct watch *watch)
{
    struct buf text;
    console_close();
    buf_init(&text, LIMIT_ANSWER);
    if (!watch->cli.json) {
        job_tell_end(watch->job, &watch->cli.term, watch->cli.hint, &text);
        cli_print(&text);
    }
    buf_free(&text);
    int code = job_code(watch->job);
    feed_close(&watch->feed);
    mirror_done(&watch->mirror);
    board_done(&watch->board);
    json_decref(watch->job);
    return cli_close(&watch->cli, code);
}

/* Shows the board, of all jobs or of the one watched. */
static void open_board(struct watch *watch)
{
    struct board *board = &watch->board;
    *board = (struct board){.mirror = &watch->mirror,
                            .term = &watch->cli.term,
                            .url = client_url(watch->cli.client),
                            .one = watch->job != NULL};
    if (board->one) {
        board->page = BOARD_JOB;
        snprintf(board->chosen, sizeof board->chosen, "%s", watch_id(watch));
    }
    snprintf(board->note, sizeof board->note, CONNECTING);
    console_open();
    board->keys = console_input() >= 0;
}

int verb_watch(int argc, char **argv)
{
    struct watch watch = {0};
    const char *const *operands;
    cli_open(&watch.cli, &program, argc, argv);
    if (conf_operands(watch.cli.conf, &operands) > 0)
        watch.job = job_find(&watch.cli, operands[0]);
    else
        json_decref(client_get_with(watch.cli.client, "/v1/farm", "state"));
    watch.full = watch.cli.term.live && !watch.cli.json && !has_ended(&watch);
    if (watch.full)
        open_board(&watch);
    while (!has_ended(&watch)) {
        connect_again(&watch);
        follow(&watch);
    }
    return end(&watch);
}
