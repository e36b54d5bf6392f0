/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs of frames that are being rendered, as long as somebody looks: in memory,
 * LIMIT_LIVE_LOGS at most (one that nobody has looked at for a while gives
 * way). However many look, the agent is asked once a second, and only while
 * they do. What a log says at its end is an artifact, not this.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_LIVE_H
#define FRAMEQ_BROKER_PEOPLE_LIVE_H

#include "broker/people/call.h"

#define LIVE_ASK_MS    1000
#define LIVE_BUSY_MS   5000 /* after a look it gives way to no other */
#define LIVE_FORGET_MS 30000

struct live {
    char job[LIMIT_ID + 1], agent[LIMIT_AGENT + 1];
    int32_t frame;
    uint64_t lease;
    bool any;        /* its agent has sent something */
    uint64_t offset; /* of the first byte in the log */
    char *bytes;     /* owned */
    size_t n;
    int64_t asked_ms, looked_ms;
    struct live *prev, *next;
};

/* live_find returns the log of the newest lease of a frame, or NULL. */
struct live *live_find(const struct http *http, const char *job, int32_t frame);

/* live_look returns that of a lease at its frame, made where there is none, and
 * has the agent asked if that was not done in the last second. NULL: too many
 * are looked at. */
struct live *live_look(struct http *http, const struct lease *lease);

/* live_put takes what an agent sent; nothing where nobody looks. */
struct artifact;
void live_put(struct http *http, const struct artifact *artifact);

/* live_end forgets a log that is an artifact now. */
void live_end(struct http *http, const struct artifact *artifact);

/* live_wait parks a call until the log it looks at has news, or is gone, or
 * until_ms; then resume is called, with until_ms, or 0 when that is over. */
void live_wait(struct call *call, const struct live *live, int64_t until_ms,
               void (*resume)(struct call *call, int64_t until_ms));

/* live_run asks again, and lets go who has waited for long enough; live_next
 * returns when it must, INT64_MAX: never. live_end_all lets all go. */
void live_run(struct http *http, int64_t now_ms);
int64_t live_next(const struct http *http);
void live_end_all(struct http *http);
void live_close(struct http *http);

#endif
