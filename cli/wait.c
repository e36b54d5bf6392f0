/* SPDX-License-Identifier: Apache-2.0
 *
 * Staying with a job until it has ended: long polls by its ETag.
 */
#include "cli/wait.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/doc.h"
#include "cli/human.h"
#include "cli/job.h"
#include "cli/verdict.h"
#include "common/app/clock.h"
#include "common/limits.h"

#define POLL_S    30
#define RETRY_MS  1000
#define BAR_WIDTH 30
#define STEP      10 /* per cent between two plain lines */
#define NARROWEST 60 /* columns below which the bar is left out */

struct wait {
    struct cli *cli;
    json_t *job;
    struct term term; /* of stderr */
    char etag[80];
    char why[LIMIT_REASON]; /* nobody can take it: as last said; "" */
    int step;               /* last plain line, in steps; -1: none */
    bool lost;              /* the broker did not answer last time */
    bool drawn;             /* the bar stands on the line */
};

/* Takes the bar off its line, so that words can be said. */
static void bar_clear(struct wait *wait)
{
    if (wait->drawn)
        fputs("\r\x1b[K", stderr);
    wait->drawn = false;
}

static void bar_line(struct wait *wait, struct buf *out)
{
    char eta[HUMAN_SIZE];
    const char *state = doc_text(wait->job, "state");
    struct bar bar = job_bar(wait->job);
    int percent = bar.total > 0 ? (int)(100 * bar.done / bar.total) : 0;
    bool roomy = wait->term.width == 0 || wait->term.width >= NARROWEST;
    width_cut(job_label(wait->job), roomy ? 24 : 10, &wait->term, out);
    buf_print(out, " ");
    if (roomy)
        bar_draw(&bar, &wait->term, BAR_WIDTH, out);
    buf_print(out, " %lld/%lld %d %%", (long long)bar.done,
              (long long)bar.total, percent);
    if (bar.failed > 0)
        buf_print(out, " %s%lld", glyph_text(glyph_find("failed"), &wait->term),
                  (long long)bar.failed);
    if (strcmp(state, "running") != 0)
        buf_print(out, " %s", state);
    human_left(wait->job, eta);
    buf_print(out, "%s%s", *eta != '\0' ? ", " : "", eta);
}

static void show_bar(struct wait *wait)
{
    struct buf line, cut;
    buf_init(&line, LIMIT_SPEC);
    buf_init(&cut, LIMIT_SPEC);
    term_look(&wait->term, STDERR_FILENO); /* it may have been resized */
    bar_line(wait, &line);
    width_cut(buf_text(&line), wait->term.width - 1, &wait->term, &cut);
    bar_clear(wait);
    fputs(buf_text(&cut), stderr);
    wait->drawn = true;
    buf_free(&cut);
    buf_free(&line);
}

/* A line for every tenth of the way. */
static void show_line(struct wait *wait)
{
    struct bar bar = job_bar(wait->job);
    int percent = bar.total > 0 ? (int)(100 * bar.done / bar.total) : 0;
    if (percent / STEP <= wait->step)
        return;
    wait->step = percent / STEP;
    fprintf(stderr, "%s: %lld of %lld frames done (%d %%)\n",
            job_label(wait->job), (long long)bar.done, (long long)bar.total,
            percent);
}

static void show(struct wait *wait)
{
    if (wait->term.live)
        show_bar(wait);
    else
        show_line(wait);
}

/* Says that nobody can take the job, once per reason. */
static void check_agents(struct wait *wait)
{
    char why[LIMIT_REASON] = "";
    struct ask ask = {.method = "GET", .path = "/v1/agents"};
    struct reply reply;
    const char *state = doc_text(wait->job, "state");
    if (job_bar(wait->job).leased > 0 || strcmp(state, "paused") == 0 ||
        job_over(state))
        return;
    client_ask(wait->cli->client, &ask, &reply);
    const json_t *agents = json_object_get(reply.json, "agents");
    if (reply.status == 200 &&
        !verdict_agents(agents, wait->job, why, sizeof why) &&
        strcmp(why, wait->why) != 0) {
        bar_clear(wait);
        fprintf(stderr,
                "frameq: no connected agent can take it: %s. It stays queued "
                "until one can.\n",
                why);
    }
    if (reply.status == 200)
        snprintf(wait->why, sizeof wait->why, "%s", why);
    reply_done(&reply);
}

static void lose(struct wait *wait)
{
    if (!wait->lost) {
        bar_clear(wait);
        fprintf(stderr,
                "frameq: the broker does not answer; waiting for it (agents "
                "render on)\n");
    }
    wait->lost = true;
    poll(NULL, 0, RETRY_MS);
}

static void take(struct wait *wait, struct reply *reply)
{
    if (wait->lost) {
        bar_clear(wait);
        fprintf(stderr, "frameq: the broker is back\n");
    }
    wait->lost = false;
    snprintf(wait->etag, sizeof wait->etag, "%s", reply->etag);
    if (reply->status == 200) {
        json_decref(wait->job);
        wait->job = json_incref(reply->json);
    }
}

/* A server that answers at once that nothing changed does not know how to
 * wait; it must not be asked in a spin. */
static void pause_unless_waited(const struct reply *reply, int64_t since_ms)
{
    if (reply->status == 304 && clock_now_ms() - since_ms < RETRY_MS)
        poll(NULL, 0, RETRY_MS);
}

/* Waits for the next change, at most POLL_S. */
static void poll_job(struct wait *wait)
{
    int64_t since_ms = clock_now_ms();
    struct client *client = wait->cli->client;
    struct reply reply;
    struct ask ask = {
        .method = "GET",
        .path = client_path(client, "/v1/jobs/%s", doc_text(wait->job, "id")),
        .etag = wait->etag,
        /* without a tag the broker would wait for a change after this one */
        .wait_s = *wait->etag != '\0' ? POLL_S : 0};
    client_ask(client, &ask, &reply);
    if (reply.status == 0 || reply.status >= 500)
        lose(wait);
    else if (client_is_broker(&reply) && reply.status < 400)
        take(wait, &reply);
    else
        client_end(client, &reply);
    pause_unless_waited(&reply, since_ms);
    reply_done(&reply);
}

static void tell_end(struct wait *wait)
{
    struct buf text;
    buf_init(&text, LIMIT_ANSWER);
    buf_print(&text, "frameq: ");
    job_tell_end(wait->job, &wait->term, wait->cli->hint, &text);
    bar_clear(wait);
    fputs(buf_text(&text), stderr);
    buf_free(&text);
}

json_t *wait_for(struct cli *cli, json_t *job)
{
    struct wait wait = {.cli = cli, .job = job, .step = -1};
    term_look(&wait.term, STDERR_FILENO);
    cli_part("\nframeq: the job goes on; to end it: frameq cancel %s%s\n",
             doc_text(job, "id"), cli->hint);
    for (;;) {
        show(&wait);
        check_agents(&wait);
        if (job_over(doc_text(wait.job, "state")))
            break;
        poll_job(&wait);
    }
    cli_part("%s", "");
    tell_end(&wait);
    return wait.job;
}
