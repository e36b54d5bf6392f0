/* SPDX-License-Identifier: Apache-2.0
 *
 * A ledger that commits at once and knows two frames of every job, and a feed
 * without events, for fuzz_door.c.
 */
#include <assert.h>
#include <string.h>

#include "broker/ledger/store.h"
#include "broker/people/feed.h"
#include "tests/fuzz/fuzz_httpd.h"

#define READINGS 64

static struct {
    uint64_t last;
    struct reading {
        store_frames_done *done;
        void *ctx; /* NULL: answered or forgotten */
        struct range ordinals;
    } at[READINGS];
    size_t n;
    store_backup_done *backup_done; /* NULL: none was asked for */
    void *backup_ctx;
} ledger;

static const struct frame_fact facts[] = {
    {.ordinal = 0,
     .at_ms = 1000,
     .ms = 1500,
     .agent = "a1",
     .blender = "3.4.1",
     .files = "[{\"path\":\"/nowhere/0001.png\",\"bytes\":12,"
              "\"sha256\":\"ab\"}]",
     .fault = "",
     .text = ""},
    {.ordinal = 1,
     .attempts = 1,
     .at_ms = 2000,
     .agent = "a1",
     .blender = "",
     .files = "",
     .fault = "render",
     .text = "it broke"},
};

void ledger_reset(void)
{
    memset(&ledger, 0, sizeof ledger);
}

void store_note(struct store *store, const struct event *event,
                const struct activity *rows, size_t n)
{
    (void)store;
    (void)rows;
    assert(event != NULL || n > 0);
    if (event != NULL && event_keep(event->type) != EVENT_SOFT)
        ledger.last = event->seq;
}

void store_keep(struct store *store, int64_t before_ms)
{
    (void)store;
    (void)before_ms;
}

void store_activity(struct store *store, const struct activity_query *query,
                    store_activity_done *done, void *ctx)
{
    (void)store;
    (void)query;
    (void)done;
    (void)ctx;
}

void store_pack(struct store *store, const char *job)
{
    (void)store;
    assert(job != NULL);
}

static void reading_answer(struct reading reading)
{
    struct frame_fact found[2];
    size_t n = 0;
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        if (facts[i].ordinal >= reading.ordinals.lo &&
            facts[i].ordinal < reading.ordinals.hi)
            found[n++] = facts[i];
    reading.done(reading.ctx, found, n);
}

static void backup_answer(void)
{
    store_backup_done *done = ledger.backup_done;
    ledger.backup_done = NULL;
    if (done != NULL)
        done(ledger.backup_ctx, "there is no disk here");
}

void store_backup(struct store *store, const char *path,
                  store_backup_done *done, void *ctx)
{
    (void)store;
    assert(path != NULL && ledger.backup_done == NULL);
    ledger.backup_done = done;
    ledger.backup_ctx = ctx;
}

/* The door has no keys to change. */
void store_file(struct store *store, const char *path, json_t *root,
                store_file_done *done, void *ctx)
{
    (void)store;
    (void)path;
    (void)root;
    (void)done;
    (void)ctx;
    assert(false);
}

/* An answer may bring the next question. */
uint64_t store_poll(struct store *store)
{
    (void)store;
    for (size_t i = 0; i < ledger.n; i++) {
        struct reading reading = ledger.at[i];
        ledger.at[i].ctx = NULL;
        if (reading.ctx != NULL)
            reading_answer(reading);
    }
    ledger.n = 0;
    backup_answer();
    return ledger.last;
}

enum store_health store_health(const struct store *store, const char **reason)
{
    (void)store;
    *reason = "";
    return STORE_WELL;
}

void store_frames(struct store *store, const char *job, struct range ordinals,
                  size_t limit, store_frames_done *done, void *ctx)
{
    (void)store;
    assert(job != NULL && limit > 0 && ordinals.lo < ordinals.hi);
    assert(ledger.n < READINGS);
    ledger.at[ledger.n++] = (struct reading){done, ctx, ordinals};
}

void store_forget(struct store *store, const void *ctx)
{
    (void)store;
    for (size_t i = 0; i < ledger.n; i++)
        if (ledger.at[i].ctx == ctx)
            ledger.at[i].ctx = NULL;
    if (ledger.backup_ctx == ctx)
        ledger.backup_done = NULL;
}

const struct feed_item *feed_after(const struct feed *feed, uint64_t seq,
                                   bool *ret_lost)
{
    (void)feed;
    (void)seq;
    *ret_lost = false;
    return NULL;
}

void feed_write(const struct feed_item *item, uint64_t epoch, struct buf *out)
{
    (void)item;
    (void)epoch;
    (void)out;
}

uint64_t feed_seq(const struct feed *feed)
{
    (void)feed;
    return 0;
}

void feed_listen(struct feed *feed, void (*news)(void *ctx), void *ctx)
{
    (void)feed;
    (void)news;
    (void)ctx;
}
