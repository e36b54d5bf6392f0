/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq watch: follows the feed. Each connection begins with the
 * subscription, then a snapshot by HTTP; events are then shown by number, each
 * once. What was missed cannot be had again: it is said, and a new snapshot
 * taken.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doc.h"
#include "cli/event.h"
#include "cli/feed.h"
#include "cli/job.h"
#include "cli/mirror.h"
#include "cli/screen.h"
#include "cli/verbs.h"
#include "cli/view.h"
#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/limits.h"

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
    .about = "Follows the farm live, or one job to its end: in a terminal with "
             "bars, else a line an event. Exit with a JOB: 0 completed, 1 "
             "failed or cancelled.",
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
    struct screen screen;
    struct buf above; /* lines to be written above the block */
    bool drawn;       /* nothing changed since the block was drawn */
    int64_t drawn_ms, fresh_ms;
};

static const char *watch_id(const struct watch *watch)
{
    return watch->job == NULL ? NULL : doc_text(watch->job, "id");
}

/* Says something on stderr, the block out of the way. */
__attribute__((format(printf, 2, 3))) static void say(struct watch *watch,
                                                      const char *format, ...)
{
    va_list args;
    screen_clear(&watch->screen);
    watch->drawn = false;
    va_start(args, format);
    fputs("frameq: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

/* Before the program is ended from within: an open socket would keep exit
 * waiting for ever. */
static void give_up(struct watch *watch)
{
    screen_clear(&watch->screen);
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
    };
    json_t *jobs = json_array();
    if (watch->job != NULL) {
        json_t *job = get_job(watch, watch_id(watch));
        json_decref(jobs);
        return job == NULL ? NULL : json_pack("[o]", job);
    }
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
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
        enum feed_news news = feed_next(watch->feed, RETRY_MS, &unused);
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
        poll(NULL, 0, RETRY_MS);
    }
    if (told)
        say(watch, "the broker is back");
}

static void show(struct watch *watch, const json_t *event)
{
    const struct cli *cli = &watch->cli;
    bool wanted = watch->job == NULL || event_is_of(event, watch_id(watch));
    watch->drawn = false;
    if (!wanted)
        return;
    bool last = watch->job != NULL && doc_is(event, "change", "ended");
    if (cli->json) {
        cli_print_json(event);
    } else if (!last) { /* end() says how it ended, in full */
        event_tell(event, &cli->term, &watch->above);
        if (!cli->term.live)
            cli_print(&watch->above);
        fflush(stdout);
    }
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

/* Reads the shown jobs' documents anew: only the broker knows the eta. */
static void refresh(struct watch *watch, int64_t now_ms)
{
    size_t i;
    json_t *job, *jobs;
    int64_t due_ms = watch->mirror.stale ? STALE_MS : REFRESH_MS;
    if (now_ms - watch->fresh_ms < due_ms || (jobs = get_jobs(watch)) == NULL)
        return;
    json_array_foreach(jobs, i, job) mirror_put_job(&watch->mirror, job);
    json_decref(jobs);
    watch->mirror.stale = false;
    watch->fresh_ms = now_ms;
    watch->drawn = false;
}

static void draw(struct watch *watch)
{
    struct buf block;
    int64_t now_ms = clock_now_ms();
    if (watch->cli.json || !watch->cli.term.live)
        return;
    refresh(watch, now_ms);
    if (watch->drawn || now_ms - watch->drawn_ms < DRAW_MS)
        return;
    term_look(&watch->cli.term, STDOUT_FILENO); /* it may have been resized */
    struct view view = {&watch->mirror, &watch->cli.term, watch_id(watch),
                        watch->cli.hint, screen_rows()};
    buf_init(&block, LIMIT_ANSWER);
    int lines = view_draw(&view, &block);
    screen_draw(&watch->screen, &watch->above, &block, lines);
    buf_free(&block);
    watch->drawn = true;
    watch->drawn_ms = now_ms;
}

/* Shows events until the watched job has ended or the connection is lost. */
static void follow(struct watch *watch)
{
    json_t *event = NULL;
    while (!has_ended(watch)) {
        draw(watch);
        int wait_ms = watch->drawn || watch->cli.json ? STALE_MS : DRAW_MS;
        enum feed_news news = feed_next(watch->feed, wait_ms, &event);
        if (news == FEED_LOST || (news == FEED_EVENT && !take(watch, event)))
            return;
    }
}

/* Says how the job ended and returns the exit code. */
static int end(struct watch *watch)
{
    screen_clear(&watch->screen);
    cli_print(&watch->above);
    if (!watch->cli.json) {
        job_tell_end(watch->job, &watch->cli.term, watch->cli.hint,
                     &watch->above);
        cli_print(&watch->above);
    }
    int code = job_code(watch->job);
    feed_close(&watch->feed);
    mirror_done(&watch->mirror);
    json_decref(watch->job);
    buf_free(&watch->above);
    return cli_close(&watch->cli, code);
}

int verb_watch(int argc, char **argv)
{
    struct watch watch = {0};
    const char *const *operands;
    cli_open(&watch.cli, &program, argc, argv);
    buf_init(&watch.above, LIMIT_ANSWER);
    if (conf_operands(watch.cli.conf, &operands) > 0)
        watch.job = job_find(&watch.cli, operands[0]);
    else
        json_decref(client_get(watch.cli.client, "/v1/farm"));
    while (!has_ended(&watch)) {
        connect_again(&watch);
        follow(&watch);
    }
    return end(&watch);
}
