/* SPDX-License-Identifier: Apache-2.0
 *
 * Two short lists: the logs, and the calls that wait for more of them.
 */
#include "broker/people/live.h"

#include <stdio.h>
#include <string.h>

#include "broker/files/artifacts.h"
#include "common/mem.h"

struct look {
    struct call *call;
    uint64_t lease;
    int32_t frame;
    int64_t until_ms;
    void (*resume)(struct call *call, int64_t until_ms);
    struct look *prev, *next;
};

/* --- Logs. --- */

static struct live *find(const struct http *http, uint64_t lease, int32_t frame)
{
    struct live *live;
    DL_FOREACH (http->lives, live)
        if (live->lease == lease && live->frame == frame)
            return live;
    return NULL;
}

struct live *live_find(const struct http *http, const char *job, int32_t frame)
{
    struct live *live, *newest = NULL;
    DL_FOREACH (http->lives, live)
        if (live->frame == frame && strcmp(live->job, job) == 0 &&
            (!newest || live->lease > newest->lease))
            newest = live;
    return newest;
}

static void ask(struct http *http, struct live *live)
{
    struct cmd cmd = {.type = CMD_ASK,
                      .agent = live->agent,
                      .job = live->job,
                      .lease = live->lease,
                      .number = live->frame,
                      .text = "",
                      .sha256 = ""};
    live->asked_ms = broker_now(http->broker);
    (void)broker_do(http->broker, &cmd, NULL, 0);
}

static void ask_if_due(struct http *http, struct live *live)
{
    if (broker_now(http->broker) - live->asked_ms >= LIVE_ASK_MS)
        ask(http, live);
}

/* Their calls may wait again: for that they are off the list first. */
static void let_go(struct look *going, bool over)
{
    struct look *look, *next;
    DL_FOREACH_SAFE (going, look, next) {
        struct call *call = look->call;
        int64_t until_ms = over ? 0 : look->until_ms;
        void (*resume)(struct call *, int64_t) = look->resume;
        (void)call_unpark(call);
        mem_free(look);
        resume(call, until_ms);
    }
}

/* Lets go who waits for that log. */
static void tell(struct http *http, uint64_t lease, int32_t frame)
{
    struct look *look, *next, *going = NULL;
    DL_FOREACH_SAFE (http->looks, look, next)
        if (look->lease == lease && look->frame == frame) {
            DL_DELETE(http->looks, look);
            DL_APPEND(going, look);
        }
    let_go(going, false);
}

static void live_free(struct http *http, struct live *live)
{
    DL_DELETE(http->lives, live);
    http->n_lives--;
    mem_free(live->bytes);
    mem_free(live);
}

static bool make_room(struct http *http)
{
    struct live *live, *oldest = http->lives;
    if (http->n_lives < LIMIT_LIVE_LOGS)
        return true;
    DL_FOREACH (http->lives, live)
        if (live->looked_ms < oldest->looked_ms)
            oldest = live;
    if (broker_now(http->broker) - oldest->looked_ms < LIVE_BUSY_MS)
        return false;
    live_free(http, oldest);
    return true;
}

struct live *live_look(struct http *http, const struct lease *lease)
{
    struct live *live = find(http, lease->id, lease->frame);
    if (!live && !make_room(http))
        return NULL;
    if (!live) {
        live = mem_new(sizeof *live);
        live->lease = lease->id;
        live->frame = lease->frame;
        live->asked_ms = -LIVE_ASK_MS;
        snprintf(live->job, sizeof live->job, "%s", lease->job->id);
        snprintf(live->agent, sizeof live->agent, "%s", lease->agent->name);
        DL_APPEND(http->lives, live);
        http->n_lives++;
    }
    live->looked_ms = broker_now(http->broker);
    ask_if_due(http, live);
    return live;
}

void live_put(struct http *http, const struct artifact *artifact)
{
    struct live *live = find(http, artifact->lease, artifact->frame);
    if (!live)
        return;
    mem_free(live->bytes);
    live->bytes = mem_copy(artifact->bytes, artifact->n);
    live->n = artifact->n;
    live->offset = artifact->offset;
    live->any = true;
    tell(http, artifact->lease, artifact->frame);
}

void live_end(struct http *http, const struct artifact *artifact)
{
    struct live *live = find(http, artifact->lease, artifact->frame);
    if (live)
        live_free(http, live);
    tell(http, artifact->lease, artifact->frame);
}

/* --- Who waits. --- */

static void leave(struct call *call)
{
    struct look *look = call->work;
    DL_DELETE(call->http->looks, look);
    mem_free(look);
}

void live_wait(struct call *call, const struct live *live, int64_t until_ms,
               void (*resume)(struct call *call, int64_t until_ms))
{
    struct look *look = mem_new(sizeof *look);
    *look = (struct look){.call = call,
                          .lease = live->lease,
                          .frame = live->frame,
                          .until_ms = until_ms,
                          .resume = resume};
    DL_APPEND(call->http->looks, look);
    call_park(call, look, leave, NULL);
}

/* The log that a call waits for may be gone. */
static void step_looks(struct http *http, int64_t now_ms)
{
    struct look *look, *next, *going = NULL;
    DL_FOREACH_SAFE (http->looks, look, next) {
        struct live *live = find(http, look->lease, look->frame);
        if (live && now_ms < look->until_ms) {
            live->looked_ms = now_ms;
            ask_if_due(http, live);
        } else {
            DL_DELETE(http->looks, look);
            DL_APPEND(going, look);
        }
    }
    let_go(going, true);
}

void live_run(struct http *http, int64_t now_ms)
{
    struct live *live, *next;
    step_looks(http, now_ms);
    DL_FOREACH_SAFE (http->lives, live, next)
        if (now_ms - live->looked_ms >= LIVE_FORGET_MS)
            live_free(http, live);
}

int64_t live_next(const struct http *http)
{
    const struct look *look;
    int64_t due = INT64_MAX;
    DL_FOREACH (http->looks, look) {
        const struct live *live = find(http, look->lease, look->frame);
        int64_t at = live ? live->asked_ms + LIVE_ASK_MS : 0;
        at = at < look->until_ms ? at : look->until_ms;
        due = at < due ? at : due;
    }
    return due;
}

void live_end_all(struct http *http)
{
    step_looks(http, INT64_MAX);
}

void live_close(struct http *http)
{
    while (http->lives)
        live_free(http, http->lives);
}
