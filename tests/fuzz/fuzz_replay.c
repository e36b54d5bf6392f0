/* SPDX-License-Identifier: Apache-2.0
 *
 * Records in any order and of anything are a ledger or are refused with a
 * reason; whatever was taken, the broker can go on from it.
 */
#include <assert.h>

#include "broker/ledger/record.h"
#include "common/limits.h"
#include "common/text.h"
#include "tests/fuzz/fuzz_farm.h"

#define EVENTS   64 /* of the ledger; the rest of the input are commands */
#define ORDINALS 12 /* most are about these: what many touch breaks sooner */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct ranges *choose_ranges(struct farm *farm)
{
    struct ranges set = {0}, *copy;
    uint64_t bits = fuzz_take(&farm->in, 1) | 1;
    int32_t at = (int32_t)fuzz_number(&farm->in, 0, ORDINALS);
    for (int32_t i = 0; i < 8; i++)
        if ((bits >> i & 1) != 0)
            ranges_add(&set, at + i, at + i + 1);
    copy = arena_new(&farm->arena, sizeof *copy);
    *copy = set;
    copy->at = arena_new(&farm->arena, (size_t)set.n * sizeof *copy->at);
    memcpy(copy->at, set.at, (size_t)set.n * sizeof *copy->at);
    ranges_free(&set);
    return copy;
}

/* BENCHED is left out: core_check holds it against the frames that led to it.
 */
static enum event_type choose_type(struct farm *farm)
{
    enum event_type type = (enum event_type)fuzz_pick(&farm->in, EVENT_TYPES);
    bool fits = event_keep(type) != EVENT_SOFT && type != EVENT_BENCHED;
    return fits ? type : EVENT_SUBMITTED;
}

/* A core of one job's events alone, as the ledger makes one to pack it. */
static struct core *replay_job(struct farm *farm, const char *job)
{
    char why[LIMIT_REASON];
    struct core *core = core_new(&farm->options);
    for (size_t i = 0; i < farm->n_ledger; i++) {
        struct event event;
        const struct buf *bytes = &farm->ledger[i].bytes;
        assert(record_decode(bytes->data, bytes->len, &farm->arena, &event, why,
                             sizeof why));
        event.seq = i + 1;
        if (event.job != NULL && strcmp(event.job, job) == 0)
            assert(core_replay(core, &event, why, sizeof why));
    }
    return core;
}

/* What became of the job where it has ended, which then changes nothing; else
 * anything, which is mostly refused. The texts are copied: the core that has
 * them goes. */
static bool choose_fate(struct farm *farm, struct event *event)
{
    char why[LIMIT_REASON];
    struct buf bytes;
    struct core *core = replay_job(farm, event->job);
    bool ended = core_pack(core, event->job, &farm->arena, event);
    if (!ended) {
        const struct ranges *done = choose_ranges(farm);
        struct job_fate *fate = arena_new(&farm->arena, sizeof *fate);
        *fate = (struct job_fate){.done = done->at, .n_done = (size_t)done->n};
        event->fate = fate;
    }
    event->text = event->detail = "";
    buf_init(&bytes, LIMIT_RECORD);
    record_encode(event, &bytes);
    assert(record_decode(bytes.data, bytes.len, &farm->arena, event, why,
                         sizeof why));
    buf_free(&bytes);
    core_free(&core);
    return ended;
}

/* Within what record.h lets through. */
static void choose_change(struct farm *farm, struct event *event)
{
    struct fuzz_bytes *in = &farm->in;
    event->job = farm_job(farm);
    event->agent = farm_agent(farm);
    event->lease = LEASE_ID(fuzz_number(in, 0, 2), fuzz_number(in, 0, 7));
    event->lo = (int32_t)fuzz_number(in, 0, ORDINALS);
    event->hi = event->lo + (int32_t)fuzz_number(in, 1, ORDINALS);
    event->number = (int32_t)fuzz_number(in, 0, DRAIN_NOW);
    event->flag = fuzz_bool(in);
    event->fault = (int32_t)fuzz_number(in, 0, FAULT_COUNT - 1);
    event->text = "why";
    event->detail = "3.4.1";
    if (event->type == EVENT_DRAINED)
        event->until_ms = farm->now_ms + fuzz_number(in, 0, 9) * 1000;
    if (event->type == EVENT_CANCELLED || event->type == EVENT_RETRIED ||
        event->type == EVENT_FAILED)
        event->frames = choose_ranges(farm);
}

/* Tells whether the event must change nothing. */
static bool choose_event(struct farm *farm, struct event *event)
{
    uint64_t seq = event->seq;
    bool idle = false;
    choose_change(farm, event);
    if (event->type == EVENT_PACKED)
        idle = choose_fate(farm, event);
    event->seq = seq;
    return idle;
}

static void replay_one(struct farm *farm)
{
    char why[LIMIT_REASON] = "";
    struct job_spec spec;
    struct event event = {.type = choose_type(farm)};
    bool idle = false;
    event.seq = farm->core->seq + (uint64_t)fuzz_number(&farm->in, 0, 3);
    event.at_ms = farm->now_ms += fuzz_number(&farm->in, 0, 9) * 100;
    if (event.type == EVENT_SUBMITTED) {
        farm_spec(farm, &spec);
        spec.max_attempts = 0; /* those of the farm */
        event.spec = &spec;
        event.job = spec.id;
    } else {
        idle = choose_event(farm, &event);
    }
    uint64_t before = core_digest(farm->core);
    farm_record(farm, &event);
    if (core_replay(farm->core, &event, why, sizeof why)) {
        core_check(farm->core);
        farm->ledger[farm->n_ledger - 1].digest = core_digest(farm->core);
        assert(!idle || core_digest(farm->core) == before);
    } else {
        assert(why[0] != '\0' && text_is_plain(why, strlen(why)));
        assert(core_digest(farm->core) == before);
        buf_free(&farm->ledger[--farm->n_ledger].bytes);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct farm farm;
    farm_open(&farm, bytes, len);
    farm.options.max_attempts = LIMIT_ATTEMPTS; /* more than EVENTS */
    farm.core = core_new(&farm.options);
    for (size_t i = fuzz_pick(&farm.in, EVENTS); i > 0 && farm.in.left > 0; i--)
        replay_one(&farm);
    farm.epoch = 2;
    farm_restart(&farm, farm.n_ledger);
    farm_run(&farm);
    farm_close(&farm);
    return 0;
}
