/* SPDX-License-Identifier: Apache-2.0
 *
 * See core_farm.h.
 */
#include "tests/unit/core_farm.h"

#include <stdio.h>
#include <string.h>

#include "broker/ledger/record.h"
#include "common/limits.h"

static void farm_start(struct farm *farm, uint64_t epoch)
{
    struct cmd cmd = {.type = CMD_RESTART, .epoch = epoch};
    farm->core = core_new(&farm->options);
    for (size_t i = 0; i < farm->n_ledger; i++) {
        struct event event;
        bool right =
            record_decode(farm->ledger[i].data, farm->ledger[i].len,
                          &farm->arena, &event, farm->why, sizeof farm->why);
        event.seq = i + 1;
        right = right &&
                core_replay(farm->core, &event, farm->why, sizeof farm->why);
        if (!right)
            fail_msg("%s", farm->why);
    }
    core_check(farm->core);
    farm_do(farm, &cmd);
}

int farm_setup(void **state)
{
    struct farm *farm = mem_new(sizeof *farm);
    farm->options = (struct core_options){.batch = 5,
                                          .max_attempts = 3,
                                          .lease_ttl_ms = FARM_TTL_MS,
                                          .orphan_grace_ms = -1,
                                          .jobs_max = LIMIT_JOBS,
                                          .agents_max = LIMIT_AGENTS};
    farm->now_ms = 1000000;
    buf_init(&farm->charges, LIMIT_MESSAGE);
    farm_start(farm, 1);
    *state = farm;
    return 0;
}

static void records_drop(struct farm *farm, size_t n)
{
    while (n-- > 0)
        buf_free(&farm->ledger[--farm->n_ledger]);
}

int farm_teardown(void **state)
{
    struct farm *farm = *state;
    core_free(&farm->core);
    records_drop(farm, farm->n_ledger);
    mem_free(farm->ledger);
    buf_free(&farm->charges);
    arena_done(&farm->arena);
    mem_free(farm);
    return 0;
}

static void record_add(struct farm *farm, const struct event *event)
{
    assert_int_equal(event->seq, farm->n_ledger + 1);
    farm->ledger =
        mem_grow(farm->ledger, farm->n_ledger + 1, sizeof *farm->ledger);
    struct buf *record = &farm->ledger[farm->n_ledger++];
    buf_init(record, 4 * LIMIT_MESSAGE);
    record_encode(event, record);
    assert_false(record->over);
}

static void charge_note(struct farm *farm, const struct event *event)
{
    bool one = event->type == EVENT_FAILED && !event->flag;
    if (event->type != EVENT_CHARGED && !one)
        return;
    const struct job *job = job_find(farm->core, event->job);
    int32_t at = one ? event->frames->at[0].lo : event->lo;
    buf_print(&farm->charges, "%s%s:%d", farm->charges.len > 0 ? " " : "",
              event->agent, frames_number(&job->frames, at));
}

static enum rc farm_step(struct farm *farm, const struct cmd *cmd)
{
    size_t before = farm->out.n;
    enum rc rc = core_step(farm->core, farm->now_ms, cmd, &farm->arena,
                           &farm->out, farm->why, sizeof farm->why);
    core_check(farm->core);
    if (rc != RC_OK)
        assert_int_equal(farm->out.n, before);
    for (size_t i = before; i < farm->out.n; i++) {
        charge_note(farm, &farm->out.at[i]);
        if (farm->out.at[i].type == EVENT_BENCHED)
            farm->benched_seq = farm->out.at[i].seq;
        if (event_keep(farm->out.at[i].type) != EVENT_SOFT)
            record_add(farm, &farm->out.at[i]);
    }
    return rc;
}

enum rc farm_do(struct farm *farm, const struct cmd *cmd)
{
    farm->out = (struct events){0};
    return farm_step(farm, cmd);
}

void farm_tick(struct farm *farm, int64_t after_ms)
{
    const struct cmd cmd = {.type = CMD_TICK};
    int64_t until_ms = farm->now_ms + after_ms;
    farm->out = (struct events){0};
    do {
        int64_t next_ms = core_next(farm->core);
        if (next_ms > farm->now_ms)
            farm->now_ms = next_ms < until_ms ? next_ms : until_ms;
        farm_step(farm, &cmd);
    } while (farm->now_ms < until_ms);
}

void farm_sleep(struct farm *farm, int64_t for_ms)
{
    const struct cmd cmd = {.type = CMD_TICK};
    farm->now_ms += for_ms;
    farm_do(farm, &cmd);
}

void farm_commit(struct farm *farm)
{
    struct cmd cmd = {.type = CMD_COMMITTED, .seq = farm->core->seq};
    farm_do(farm, &cmd);
}

void farm_restart(struct farm *farm, size_t lost)
{
    uint64_t epoch = farm->core->epoch + 1;
    core_free(&farm->core);
    records_drop(farm, lost);
    farm_start(farm, epoch);
}

const struct event *farm_event(const struct farm *farm, enum event_type type,
                               size_t nth)
{
    for (size_t i = 0; i < farm->out.n; i++)
        if (farm->out.at[i].type == type && nth-- == 0)
            return &farm->out.at[i];
    return NULL;
}

size_t farm_count(const struct farm *farm, enum event_type type)
{
    size_t n = 0;
    for (size_t i = 0; i < farm->out.n; i++)
        n += farm->out.at[i].type == type;
    return n;
}

/* --- Jobs. --- */

struct job_spec farm_spec(struct farm *farm, const char *name,
                          const char *frames)
{
    struct job_spec spec = {
        .id = arena_print(&farm->arena, "%s-%s", name, "aaaaaaaaaaaaaaaa"),
        .name = name,
        .user = "ann",
        .key = "",
        .batch = -1,
        .priority = 50,
        .blender = "",
        .blend = "",
        .render = "{}",
        .doc = "{}"};
    if (!frames_parse(frames, &spec.frames, farm->why, sizeof farm->why))
        fail_msg("%s", farm->why);
    return spec;
}

struct job *farm_submit(struct farm *farm, struct job_spec *spec)
{
    struct cmd cmd = {.type = CMD_SUBMIT, .spec = spec};
    assert_int_equal(farm_do(farm, &cmd), RC_OK);
    frames_free(&spec->frames);
    farm_commit(farm);
    return job_find(farm->core, spec->id);
}

struct job *farm_job(struct farm *farm, const char *name, const char *frames)
{
    struct job_spec spec = farm_spec(farm, name, frames);
    return farm_submit(farm, &spec);
}

enum rc farm_ask(struct farm *farm, enum cmd_type type, const struct job *job,
                 const char *frames, const char *text)
{
    struct frames wanted = {0};
    struct cmd cmd = {.type = type, .job = job->id, .text = text};
    if (frames) {
        bool right = frames_parse(frames, &wanted, farm->why, sizeof farm->why);
        assert_true(right);
        cmd.frames = &wanted;
    }
    enum rc rc = farm_do(farm, &cmd);
    frames_free(&wanted);
    return rc;
}

enum rc farm_patch(struct farm *farm, const struct job *job,
                   const struct cmd_patch *patch)
{
    struct cmd cmd = {.type = CMD_PATCH, .job = job->id, .patch = *patch};
    return farm_do(farm, &cmd);
}

enum rc farm_drain(struct farm *farm, const char *agent, enum drain drain,
                   int64_t until_ms)
{
    struct cmd cmd = {.type = CMD_DRAIN,
                      .agent = agent,
                      .number = (int32_t)drain,
                      .until_ms = until_ms};
    return farm_do(farm, &cmd);
}

/* --- Agents. --- */

void hand_init(struct hand *hand, const char *name, int32_t slots)
{
    static uint64_t incs; /* each start of an agent has its own */
    *hand = (struct hand){.state = {.agent = name,
                                    .inc = ++incs,
                                    .slots = slots,
                                    .why = "",
                                    .version = "1"}};
    hand->state.node = (struct msg_node){.up = true,
                                         .can_trim = true,
                                         .can_stop = true,
                                         .cores = 8,
                                         .memory_mb = 16000,
                                         .gpus = 0,
                                         .name = "",
                                         .version = "",
                                         .blender = "3.4.1",
                                         .device = "",
                                         .error = ""};
}

void hand_say(struct farm *farm, struct hand *hand)
{
    struct cmd cmd = {.type = CMD_STATE, .state = &hand->state};
    hand->state.seq++;
    hand->state.epoch = farm->core->epoch;
    hand->state.leases = hand->leases;
    farm_do(farm, &cmd);
}

void hand_lane(const struct farm *farm, struct hand *hand)
{
    for (size_t i = 0; i < farm_count(farm, EVENT_LANE); i++) {
        const struct event *lane = farm_event(farm, EVENT_LANE, i);
        if (lane->inc != hand->state.inc || lane->lane == hand->state.lane)
            continue;
        hand->state.lane = lane->lane;
        hand->state.dseq = 0;
    }
}

void hand_join(struct farm *farm, struct hand *hand)
{
    hand_say(farm, hand);
    hand_lane(farm, hand);
    hand_say(farm, hand);
    hand_take(farm, hand);
}

static void lease_take(const struct farm *farm, struct hand *hand,
                       const struct event *event)
{
    const struct job *job = job_find(farm->core, event->job);
    size_t i = hand->state.n_leases++;
    assert_true(i < HAND_LEASES);
    hand->leases[i] =
        (struct msg_lease){.lease = event->lease,
                           .job = event->job,
                           .from = frames_number(&job->frames, event->lo),
                           .to = frames_number(&job->frames, event->hi - 1),
                           .step = frames_run(&job->frames, event->lo)->step,
                           .status = LEASE_RUNNING,
                           .frame = -1,
                           .blamed = -1,
                           .text = "",
                           .results = hand->results[i]};
    hand->state.dseq = (uint64_t)event->number;
}

int hand_take(const struct farm *farm, struct hand *hand)
{
    int n = 0;
    for (size_t i = 0; i < farm_count(farm, EVENT_LEASED); i++) {
        const struct event *event = farm_event(farm, EVENT_LEASED, i);
        if (event->number == 0 || event->lane != hand->state.lane)
            continue;
        lease_take(farm, hand, event);
        n++;
    }
    return n;
}

void hand_end(struct hand *hand, int i, enum lease_status status,
              enum fault fault, int32_t blamed)
{
    hand->leases[i].status = (int32_t)status;
    hand->leases[i].fault = (int32_t)fault;
    hand->leases[i].blamed = blamed;
    hand->leases[i].frame = -1;
    hand->leases[i].text = status == LEASE_FAILED ? "it broke" : "";
}

void hand_render(struct hand *hand, int i, int32_t from, int32_t to)
{
    struct msg_lease *lease = &hand->leases[i];
    for (int32_t frame = from; frame <= to; frame += lease->step) {
        assert_true(lease->n_results < HAND_RESULTS);
        hand->results[i][lease->n_results++] =
            (struct msg_result){.frame = frame, .ms = 1000, .files = "[]"};
        lease->done++;
    }
}

void hand_drop(struct hand *hand, int i)
{
    size_t last = --hand->state.n_leases;
    for (size_t k = (size_t)i; k < last; k++) {
        hand->leases[k] = hand->leases[k + 1];
        memcpy(hand->results[k], hand->results[k + 1], sizeof *hand->results);
        hand->leases[k].results = hand->results[k];
    }
}

void hand_finish(struct farm *farm, struct hand *hand, int i)
{
    hand_render(hand, i, hand->leases[i].from, hand->leases[i].to);
    hand_end(hand, i, LEASE_DONE, FAULT_NONE, -1);
    hand_say(farm, hand);
    hand_drop(hand, i);
}

void hand_work(struct farm *farm, struct hand *hand, hand_rule *rule)
{
    const struct msg_lease lease = hand->leases[0];
    for (int32_t frame = lease.from; frame <= lease.to; frame += lease.step) {
        enum fault fault = rule(hand->state.agent, frame);
        if (fault != FAULT_NONE) {
            hand_end(hand, 0, LEASE_FAILED, fault, frame);
            hand_say(farm, hand);
            hand_drop(hand, 0);
            return;
        }
        hand_render(hand, 0, frame, frame);
    }
    hand_end(hand, 0, LEASE_DONE, FAULT_NONE, -1);
    hand_say(farm, hand);
    hand_drop(hand, 0);
}

static bool take_all(const struct farm *farm, struct hand *hands, size_t n)
{
    bool any = false;
    for (size_t i = 0; i < n; i++) {
        hand_take(farm, &hands[i]);
        any = any || hands[i].state.n_leases > 0;
    }
    return any;
}

int farm_work(struct farm *farm, struct hand *hands, size_t n, hand_rule *rule,
              int rounds)
{
    int launches = 0;
    bool any = take_all(farm, hands, n);
    while (any && rounds-- > 0) {
        for (size_t i = 0; i < n; i++) {
            bool works = hands[i].state.n_leases > 0;
            launches += works;
            if (works)
                hand_work(farm, &hands[i], rule);
            else
                hand_say(farm, &hands[i]);
            take_all(farm, hands, n);
        }
        farm_tick(farm, 100);
        any = take_all(farm, hands, n);
    }
    return launches;
}

void assert_run(const struct event *event, int32_t lo, int32_t hi)
{
    assert_non_null(event);
    assert_int_equal(event->lo, lo);
    assert_int_equal(event->hi, hi);
}
