/* SPDX-License-Identifier: Apache-2.0
 *
 * See fuzz_farm.h; fuzz_commands.c chooses the commands.
 */
#include "tests/fuzz/fuzz_farm.h"

#include <assert.h>

#include "broker/ledger/record.h"
#include "common/limits.h"
#include "common/text.h"

void farm_record(struct farm *farm, const struct event *event)
{
    assert(farm->n_ledger < FARM_RECORDS);
    struct farm_record *record = &farm->ledger[farm->n_ledger++];
    *record = (struct farm_record){.seq = event->seq};
    buf_init(&record->bytes, LIMIT_RECORD);
    record_encode(event, &record->bytes);
    assert(!record->bytes.over);
}

static void records_drop(struct farm *farm, size_t n)
{
    while (farm->n_ledger > n)
        buf_free(&farm->ledger[--farm->n_ledger].bytes);
}

struct core *farm_replay(struct farm *farm, size_t n)
{
    char why[LIMIT_REASON];
    struct core *core = core_new(&farm->options);
    for (size_t i = 0; i < n; i++) {
        struct event event;
        const struct buf *bytes = &farm->ledger[i].bytes;
        assert(record_decode(bytes->data, bytes->len, &farm->arena, &event, why,
                             sizeof why));
        event.seq = farm->ledger[i].seq;
        assert(core_replay(core, &event, why, sizeof why));
    }
    core_check(core);
    uint64_t digest = n > 0 ? farm->ledger[n - 1].digest : 0;
    assert(digest == 0 || core_digest(core) == digest);
    return core;
}

/* --- One step. --- */

/* A batch must fit into a message. */
static void check_batch(struct farm *farm, const struct event *event)
{
    const struct job *job = job_find(farm->core, event->job);
    if (job == NULL || event->number == 0)
        return;
    struct msg msg = {.kind = KIND_BATCH};
    struct buf out;
    msg.batch = (struct msg_batch){
        .epoch = farm->epoch,
        .lane = event->lane,
        .dseq = (uint64_t)event->number,
        .lease = event->lease,
        .job = job->id,
        .name = job->name,
        .from = frames_number(&job->frames, event->lo),
        .to = frames_number(&job->frames, event->hi - 1),
        .step = event->hi - event->lo == 1
                    ? 1
                    : frames_run(&job->frames, event->lo)->step,
        .render = job->render};
    buf_init(&out, LIMIT_MESSAGE);
    assert(msg_encode(&msg, &out));
    buf_free(&out);
}

static bool keep_events(struct farm *farm)
{
    bool durable = false;
    for (size_t i = 0; i < farm->out.n; i++) {
        const struct event *event = &farm->out.at[i];
        durable = durable || event_keep(event->type) == EVENT_DURABLE;
        if (event_keep(event->type) != EVENT_SOFT)
            farm_record(farm, event);
        if (event->type == EVENT_LEASED)
            check_batch(farm, event);
    }
    return durable;
}

enum rc farm_do(struct farm *farm, const struct cmd *cmd)
{
    char why[LIMIT_REASON];
    uint64_t before = core_digest(farm->core);
    farm->out = (struct events){0};
    enum rc rc = core_step(farm->core, farm->now_ms, cmd, &farm->arena,
                           &farm->out, why, sizeof why);
    core_check(farm->core);
    assert((rc == RC_OK) == (why[0] == '\0'));
    assert(text_is_plain(why, strlen(why)));
    uint64_t digest = core_digest(farm->core);
    if (!keep_events(farm))
        assert(digest == before);
    if (farm->n_ledger > 0)
        farm->ledger[farm->n_ledger - 1].digest = digest;
    return rc;
}

/* --- Its lives. --- */

static void core_start(struct farm *farm)
{
    farm->core = farm_replay(farm, farm->n_ledger);
    farm->committed = farm->core->seq;
    struct cmd cmd = {.type = CMD_RESTART, .epoch = ++farm->epoch};
    assert(farm_do(farm, &cmd) == RC_OK);
}

void farm_restart(struct farm *farm, size_t n)
{
    core_free(&farm->core);
    records_drop(farm, n);
    core_start(farm);
}

void farm_open(struct farm *farm, const uint8_t *bytes, size_t len)
{
    farm->in = (struct fuzz_bytes){bytes, len};
    farm->now_ms = 1000000000;
    farm->epoch = farm->committed = 0;
    farm->n_ledger = 0;
    arena_reset(&farm->arena);
    struct fuzz_bytes *in = &farm->in;
    farm->options =
        (struct core_options){.batch = (int32_t)fuzz_number(in, 0, 3),
                              .max_attempts = (int32_t)fuzz_number(in, 1, 3),
                              .lease_ttl_ms = 8000,
                              .orphan_grace_ms = fuzz_number(in, -1, 1) * 5000,
                              .jobs_max = 5,
                              .agents_max = 3};
    if (farm->options.orphan_grace_ms < 0)
        farm->options.orphan_grace_ms = -1;
}

void farm_close(struct farm *farm)
{
    struct core *again = farm_replay(farm, farm->n_ledger);
    assert(core_digest(again) == core_digest(farm->core));
    core_free(&again);
    core_free(&farm->core);
    records_drop(farm, 0);
}
