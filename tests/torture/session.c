/* SPDX-License-Identifier: Apache-2.0
 *
 * The core decides in memory (core_farm.h); its records are passed on to a
 * store after each line of the script, and the next line waits until the
 * durable ones are committed.
 */
#include "tests/torture/session.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/ledger/record.h"
#include "broker/ledger/store.h"
#include "tests/unit/core_farm.h"

#define PATIENCE_MS 20000
#define EVENTS_MOST 1024

struct session {
    const char *dir;
    struct store *store;
    struct farm *farm;
    struct hand a, b;
    size_t told;      /* records given to the store */
    uint64_t durable; /* the last of them that is waited for */
    struct session_tale *tale;
    bool copied;
    char why[512];
};

static uint64_t digests[EVENTS_MOST]; /* by seq; 0 is the empty farm */
static uint64_t last_seq;

/* --- The script. --- */

static void join(struct session *s)
{
    hand_init(&s->a, "a", 2);
    hand_init(&s->b, "b", 1);
    hand_join(s->farm, &s->a);
    hand_join(s->farm, &s->b);
}

static struct job *job(const struct session *s, const char *name)
{
    char id[64];
    snprintf(id, sizeof id, "%s-aaaaaaaaaaaaaaaa", name);
    return job_find(s->farm->core, id);
}

static void take(struct session *s)
{
    hand_take(s->farm, &s->a);
    hand_take(s->farm, &s->b);
}

static void submit(struct session *s)
{
    (void)farm_job(s->farm, "first", "1-20");
    take(s);
}

static void finish(struct session *s)
{
    hand_finish(s->farm, &s->a, 0);
    take(s);
}

static void charge(struct session *s)
{
    hand_end(&s->b, 0, LEASE_FAILED, FAULT_CRASH, s->b.leases[0].from);
    hand_say(s->farm, &s->b);
    hand_drop(&s->b, 0);
    take(s);
}

static void cancel_some(struct session *s)
{
    farm_ask(s->farm, CMD_CANCEL, job(s, "first"), "15-16", "not needed");
    take(s);
}

static void retry(struct session *s)
{
    farm_ask(s->farm, CMD_RETRY, job(s, "first"), "1-2", "a");
    farm_commit(s->farm);
    take(s);
}

static void submit_other(struct session *s)
{
    (void)farm_job(s->farm, "other", "1-9");
    take(s);
}

static void cancel_other(struct session *s)
{
    farm_ask(s->farm, CMD_CANCEL, job(s, "other"), NULL, "no");
    take(s);
}

static void forget_other(struct session *s)
{
    farm_ask(s->farm, CMD_FORGET, job(s, "other"), NULL, "");
    take(s);
}

static void come_back(struct session *s)
{
    s->a.state.lane = s->b.state.lane = 0;
    hand_join(s->farm, &s->a);
    hand_join(s->farm, &s->b);
    take(s);
}

/* Ends a job that stays, and is gone on with in the next life. */
static void end_short(struct session *s)
{
    (void)farm_job(s->farm, "short", "1-6");
    farm_ask(s->farm, CMD_CANCEL, job(s, "short"), "1-2", "not needed");
    farm_ask(s->farm, CMD_CANCEL, job(s, "short"), "3-4", "nor these");
    farm_ask(s->farm, CMD_CANCEL, job(s, "short"), NULL, "nor all of it");
}

static void reopen_short(struct session *s)
{
    farm_ask(s->farm, CMD_RETRY, job(s, "short"), "2-5", "");
    farm_commit(s->farm);
    take(s);
}

static void leave_short(struct session *s, struct hand *hand)
{
    for (size_t i = hand->state.n_leases; i-- > 0;)
        if (strcmp(hand->leases[i].job, job(s, "short")->id) == 0)
            hand_drop(hand, i);
    hand_say(s->farm, hand);
}

static void end_short_again(struct session *s)
{
    farm_ask(s->farm, CMD_CANCEL, job(s, "short"), NULL, "never mind");
    leave_short(s, &s->a);
    leave_short(s, &s->b);
    take(s);
}

static void drain(struct session *s)
{
    farm_drain(s->farm, "b", DRAIN_SOFT, s->farm->now_ms + 60000);
}

static void submit_last(struct session *s)
{
    struct cmd_patch patch = {.has_priority = true, .priority = 9};
    struct job *last = farm_job(s->farm, "last", "1-3");
    farm_patch(s->farm, last, &patch);
    take(s);
}

static void (*const first_life[])(struct session *) = {
    join,         submit,       finish,       charge,    cancel_some, retry,
    submit_other, cancel_other, forget_other, end_short, drain};
static void (*const second_life[])(struct session *) = {
    come_back, reopen_short, finish, end_short_again, submit_last, finish};

/* --- The store's part. --- */

static void append(struct session *s)
{
    struct arena arena = {0};
    while (s->told < s->farm->n_ledger) {
        const struct buf *record = &s->farm->ledger[s->told];
        struct event event;
        if (!record_decode(record->data, record->len, &arena, &event, s->why,
                           sizeof s->why))
            _exit(SESSION_WRONG);
        event.seq = ++s->told;
        if (event_keep(event.type) == EVENT_DURABLE)
            s->durable = event.seq;
        store_append(s->store, &event);
        arena_reset(&arena);
    }
    arena_done(&arena);
}

/* As a broker tells it. */
static void pack_ended(struct session *s)
{
    const struct job *job;
    DL_FOREACH (s->farm->core->jobs, job)
        if (job_ended(job) && !job->leases)
            store_pack(s->store, job->id);
}

static bool is_broken(struct session *s)
{
    const char *reason;
    bool broken = store_health(s->store, &reason) == STORE_BROKEN;
    if (broken && reason[0] == '\0')
        _exit(SESSION_WRONG);
    return broken;
}

static bool news(struct session *s)
{
    if (is_broken(s))
        return false;
    struct pollfd fd = {store_fd(s->store), POLLIN, 0};
    if (poll(&fd, 1, PATIENCE_MS) != 1)
        _exit(SESSION_WRONG);
    uint64_t committed = store_poll(s->store);
    if (!s->tale->hasty)
        s->tale->acknowledged = committed;
    return !is_broken(s);
}

/* Waits until what is waited for is committed. */
static bool commit(struct session *s)
{
    append(s);
    pack_ended(s);
    if (s->tale->hasty)
        s->tale->acknowledged = s->told;
    bool well = true;
    while (well && store_poll(s->store) < s->durable)
        well = news(s);
    return well && !is_broken(s);
}

static bool play(struct session *s, void (*const *lines)(struct session *),
                 size_t n)
{
    for (size_t i = 0; i < n; i++) {
        lines[i](s);
        if (!commit(s))
            return false;
    }
    return true;
}

static void copy_done(void *ctx, const char *reason)
{
    struct session *s = ctx;
    s->copied = true;
    if (reason != NULL && reason[0] == '\0')
        _exit(SESSION_WRONG);
}

static bool copy(struct session *s)
{
    char path[256];
    snprintf(path, sizeof path, "%s/copy", s->dir);
    store_backup(s->store, path, copy_done, s);
    bool well = true;
    while (well && !s->copied)
        well = news(s);
    return well;
}

static void replay_into(void *ctx, const struct event *event)
{
    char why[256];
    if (!core_replay(ctx, event, why, sizeof why)) {
        fprintf(stderr, "%s\n", why);
        _exit(SESSION_WRONG);
    }
}

/* A core that the store was replayed into, owned; NULL with the reason. */
static struct core *replay(struct store *store, const struct farm *farm,
                           char *why, size_t size)
{
    struct core *core = core_new(&farm->options);
    if (store_replay(store, replay_into, core, why, size) < 0)
        core_free(&core);
    return core;
}

static bool begin(struct session *s)
{
    s->store = store_open(s->dir, s->why, sizeof s->why);
    if (s->store == NULL)
        return false;
    struct core *core = replay(s->store, s->farm, s->why, sizeof s->why);
    bool begun =
        core != NULL && store_begin(s->store, s->why, sizeof s->why) != 0;
    core_free(&core);
    return begun;
}

static enum session_end life(struct session *s,
                             void (*const *lines)(struct session *), size_t n)
{
    enum session_end end = SESSION_WHOLE;
    s->why[0] = '\0';
    if (!begin(s))
        end = s->why[0] == '\0' ? SESSION_WRONG : SESSION_REFUSED;
    else if (!play(s, lines, n) || !copy(s))
        end = SESSION_BROKEN;
    store_close(&s->store);
    return end;
}

#define COUNT(lines) (sizeof(lines) / sizeof *(lines))

enum session_end session_play(const char *dir, struct session_tale *tale)
{
    void *state;
    char path[256];
    farm_setup(&state);
    struct session s = {.dir = dir, .farm = state, .tale = tale};
    enum session_end end = life(&s, first_life, COUNT(first_life));
    if (end == SESSION_WHOLE) {
        snprintf(path, sizeof path, "%s/copy", dir);
        unlink(path);
        s.copied = false;
        farm_restart(s.farm, 0);
        end = life(&s, second_life, COUNT(second_life));
    }
    farm_teardown(&state);
    return end;
}

/* --- What there should be. --- */

static void note_digests(struct farm *farm)
{
    struct core *core = core_new(&farm->options);
    char why[256];
    last_seq = farm->n_ledger;
    if (last_seq >= EVENTS_MOST)
        _exit(SESSION_WRONG);
    digests[0] = core_digest(core);
    for (size_t i = 0; i < farm->n_ledger; i++) {
        struct event event;
        if (!record_decode(farm->ledger[i].data, farm->ledger[i].len,
                           &farm->arena, &event, why, sizeof why))
            _exit(SESSION_WRONG);
        event.seq = i + 1;
        replay_into(core, &event);
        digests[i + 1] = core_digest(core);
    }
    core_free(&core);
}

void session_expect(void)
{
    void *state;
    farm_setup(&state);
    struct session s = {.farm = state};
    for (size_t i = 0; i < COUNT(first_life); i++)
        first_life[i](&s);
    farm_restart(s.farm, 0);
    for (size_t i = 0; i < COUNT(second_life); i++)
        second_life[i](&s);
    note_digests(s.farm);
    farm_teardown(&state);
}

static bool check_core(const struct core *core, uint64_t acknowledged,
                       char *why, size_t size)
{
    if (core->seq < acknowledged || core->seq > last_seq)
        snprintf(why, size, "event %llu is the last, %llu was acknowledged",
                 (unsigned long long)core->seq,
                 (unsigned long long)acknowledged);
    else if (core_digest(core) != digests[core->seq])
        snprintf(why, size, "up to event %llu it is another farm",
                 (unsigned long long)core->seq);
    else
        return true;
    return false;
}

/* The ledger takes what comes next. */
static bool goes_on(struct store *store, uint64_t seq, char *why, size_t size)
{
    struct event event = {
        .type = EVENT_DRAINED, .agent = "z", .seq = seq + 1, .at_ms = 1};
    if (store_begin(store, why, size) == 0)
        return false;
    store_append(store, &event);
    for (uint64_t seen = 0; seen < event.seq;) {
        struct pollfd fd = {store_fd(store), POLLIN, 0};
        const char *reason;
        bool came = poll(&fd, 1, PATIENCE_MS) == 1;
        seen = store_poll(store);
        if (!came || store_health(store, &reason) == STORE_BROKEN) {
            snprintf(why, size, "it does not go on");
            return false;
        }
    }
    return true;
}

bool session_check(const char *dir, uint64_t acknowledged, char *why,
                   unsigned long size)
{
    void *state;
    farm_setup(&state);
    struct core *core = NULL;
    struct store *store = store_open(dir, why, size);
    if (store != NULL)
        core = replay(store, state, why, size);
    bool good = core != NULL && check_core(core, acknowledged, why, size) &&
                goes_on(store, core->seq, why, size);
    core_free(&core);
    store_close(&store);
    farm_teardown(&state);
    return good;
}
