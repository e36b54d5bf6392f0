/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the ledger share: a folder of their own, an endless
 * history that is a function of the number alone, and the check that what a
 * ledger replays is a part of it that may be so.
 *
 * The history: 20 events a job, of five leases, the last of which goes on.
 * Every second job is forgotten at the end of the one after it.
 */
#ifndef FRAMEQ_TESTS_UNIT_STORE_WORLD_H
#define FRAMEQ_TESTS_UNIT_STORE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "broker/ledger/record.h"
#include "broker/ledger/store.h"
#include "common/fault.h"
#include "common/limits.h"
#include "common/mem.h"

#define PATIENCE_MS 20000 /* an event that takes longer will not come */
#define JOB_EVENTS  20

struct world {
    char dir[64];
    char why[512];
    struct store *store;
};

/* --- The folder. --- */

static inline void world_empty(struct world *world)
{
    DIR *dir = opendir(world->dir);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
    closedir(dir);
}

static inline int world_set_up(void **state)
{
    struct world *world = mem_new(sizeof *world);
    snprintf(world->dir, sizeof world->dir, "%s/frameq-store-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    *state = world;
    return mkdtemp(world->dir) != NULL ? 0 : -1;
}

static inline int world_tear_down(void **state)
{
    struct world *world = *state;
    store_close(&world->store);
    world_empty(world);
    rmdir(world->dir);
    mem_free(world);
    return 0;
}

/* A path in the folder; valid until the fourth next call. */
static inline const char *world_path(const struct world *world,
                                     const char *name)
{
    static char paths[4][128];
    static int next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", world->dir, name);
    return path;
}

static inline bool world_has(const struct world *world, const char *name)
{
    return access(world_path(world, name), F_OK) == 0;
}

/* --- The store. --- */

static inline void world_open(struct world *world)
{
    world->store = store_open(world->dir, world->why, sizeof world->why);
    if (world->store == NULL)
        fail_msg("open: %s", world->why);
}

static inline uint64_t world_begin(struct world *world)
{
    uint64_t epoch = store_begin(world->store, world->why, sizeof world->why);
    if (epoch == 0)
        fail_msg("begin: %s", world->why);
    return epoch;
}

/* Waits for news; fails when none comes. */
static inline uint64_t world_news(struct store *store)
{
    struct pollfd fd = {store_fd(store), POLLIN, 0};
    assert_int_equal(poll(&fd, 1, PATIENCE_MS), 1);
    return store_poll(store);
}

static inline void world_commit(struct world *world, uint64_t seq)
{
    while (store_poll(world->store) < seq)
        (void)world_news(world->store);
}

static inline void world_count(void *ctx, const struct event *event)
{
    (void)event;
    ++*(int64_t *)ctx;
}

/* store_verify, counting events. */
static inline bool world_verify(struct world *world, int64_t *ret_events)
{
    *ret_events = 0;
    return store_verify(world->dir, world_count, ret_events, world->why,
                        sizeof world->why);
}

/* --- The history. --- */

struct story {
    struct event event;
    char job[32], agent[16];
    struct job_spec spec;
    struct span span;
    struct range range;
    struct ranges ranges;
};

static inline void story_name(char job[32], uint64_t number)
{
    snprintf(job, 32, "story-job-%08llu", (unsigned long long)number);
}

static inline void story_submit(struct story *story)
{
    static const char doc[] = "{\"from\":1,\"to\":250,\"name\":\"a shot\"}";
    story->span = (struct span){1, 250, 1, 0};
    story->spec = (struct job_spec){.id = story->job,
                                    .name = "a shot",
                                    .frames = {&story->span, 1, 250},
                                    .priority = 50,
                                    .doc = doc};
    story->event.type = EVENT_SUBMITTED;
    story->event.spec = &story->spec;
}

static inline void story_change(struct story *story, uint64_t job, int32_t step)
{
    static const enum event_type types[] = {EVENT_LEASED, EVENT_DONE,
                                            EVENT_CHARGED, EVENT_RELEASED};
    struct event *event = &story->event;
    event->type = types[step % 4];
    event->lease = LEASE_ID(1, 5 * job + (uint64_t)step / 4 + 1);
    event->lo = step / 4;
    event->hi = event->lo + 1;
    event->fault = event->type == EVENT_CHARGED ? FAULT_CRASH : FAULT_NONE;
    event->text = "told";
}

/* Event seq (from 1) of the history. */
static inline void story_tell(struct story *story, uint64_t seq)
{
    uint64_t job = (seq - 1) / JOB_EVENTS;
    int32_t step = (int32_t)((seq - 1) % JOB_EVENTS);
    *story = (struct story){.event = {.seq = seq, .at_ms = (int64_t)seq * 10}};
    snprintf(story->agent, sizeof story->agent, "agent-%d", step % 3);
    story_name(story->job, job);
    story->event.job = story->job;
    story->event.agent = story->agent;
    if (step == 0) {
        story_submit(story);
    } else if (step == JOB_EVENTS - 1 && job % 2 == 0 && job > 0) {
        story_name(story->job, job - 1);
        story->event.type = EVENT_FORGOTTEN;
    } else if (step == JOB_EVENTS - 1) {
        story->event.type = EVENT_DRAINED;
        story->event.job = NULL;
    } else {
        story_change(story, job, step - 1);
    }
}

/* The seq of the FORGOTTEN of the job that event seq belongs to; 0: none. */
static inline uint64_t story_end(uint64_t seq)
{
    uint64_t job = (seq - 1) / JOB_EVENTS;
    bool drained = seq % JOB_EVENTS == 0 && job % 2 == 1;
    if (drained || job % 2 == 0)
        return 0;
    return (job + 2) * JOB_EVENTS;
}

static inline void world_append(struct world *world, uint64_t from, uint64_t to)
{
    struct story story;
    for (uint64_t seq = from; seq <= to; seq++) {
        story_tell(&story, seq);
        store_append(world->store, &story.event);
    }
}

/* --- The check. --- */

struct audit {
    uint64_t told; /* seq of the last event replayed */
    uint64_t events;
    uint64_t last; /* seq of the last event in the ledger */
    struct buf expected, found;
};

/* Is this event of a lease that is over, and not its job's first? Then it is
 * gone, but for the last event of all. */
static inline bool audit_must_lack(const struct audit *audit, uint64_t seq)
{
    int32_t step = (int32_t)((seq - 1) % JOB_EVENTS) - 1;
    bool passing = step / 4 >= 1 && step / 4 <= 3;
    bool granted = step % 4 == 0 && seq + 3 <= audit->last;
    bool over = step % 4 == 3 && seq < audit->last;
    return passing && (granted || over);
}

/* May this event be missing, seeing what is there? One of a forgotten job may,
 * and of those the newest go first. */
static inline bool audit_may_lack(const struct audit *audit, uint64_t seq)
{
    struct story story;
    if (audit_must_lack(audit, seq))
        return true;
    story_tell(&story, seq);
    uint64_t end = story.event.type == EVENT_FORGOTTEN ? seq : story_end(seq);
    return end != 0 && end <= audit->last && seq != audit->last;
}

static inline void audit_event(void *ctx, const struct event *event)
{
    struct audit *audit = ctx;
    struct story story;
    bool gap = false;
    for (uint64_t seq = audit->told + 1; seq < event->seq; seq++) {
        if (!audit_may_lack(audit, seq))
            fail_msg("event %llu is lost", (unsigned long long)seq);
        gap = gap || !audit_must_lack(audit, seq);
    }
    if (audit_must_lack(audit, event->seq))
        fail_msg("event %llu outlived its lease",
                 (unsigned long long)event->seq);
    bool same_job = (audit->told) / JOB_EVENTS == (event->seq - 1) / JOB_EVENTS;
    if (gap && same_job && event->type != EVENT_DRAINED &&
        event->type != EVENT_FORGOTTEN)
        fail_msg("event %llu outlived one before it",
                 (unsigned long long)event->seq);
    story_tell(&story, event->seq);
    buf_clear(&audit->expected);
    buf_clear(&audit->found);
    record_encode(&story.event, &audit->expected);
    record_encode(event, &audit->found);
    assert_int_equal(audit->expected.len, audit->found.len);
    assert_memory_equal(audit->expected.data, audit->found.data,
                        audit->found.len);
    audit->told = event->seq;
    audit->events++;
}

static inline void audit_count(void *ctx, const struct event *event)
{
    *(uint64_t *)ctx = event->seq;
}

/* Replays an opened store: it has told the story up to its last event, which
 * is at least `least`. Returns that last one. */
static inline uint64_t world_audit(struct world *world, uint64_t least)
{
    struct audit audit = {0};
    buf_init(&audit.expected, LIMIT_RECORD);
    buf_init(&audit.found, LIMIT_RECORD);
    (void)store_replay(world->store, audit_count, &audit.last, world->why,
                       sizeof world->why);
    int64_t last = store_replay(world->store, audit_event, &audit, world->why,
                                sizeof world->why);
    if (last < 0)
        fail_msg("replay: %s", world->why);
    assert_true(audit.told == (uint64_t)last);
    assert_true(audit.told >= least);
    buf_free(&audit.expected);
    buf_free(&audit.found);
    return audit.told;
}

#endif
