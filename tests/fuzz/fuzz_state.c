/* SPDX-License-Identifier: Apache-2.0
 *
 * What an agent says to a fuzzed farm: now about leases it has, now about
 * anything. It goes through the message as bytes, which holds it to the rules
 * of the wire.
 */
#include <assert.h>

#include "common/limits.h"
#include "tests/fuzz/fuzz_farm.h"

#define LEASES  4 /* of one STATE */
#define RESULTS 8 /* of one lease: the first frames of its run */

/* One of all leases there are, or NULL. */
static const struct lease *choose_lease(struct farm *farm)
{
    unsigned n = HASH_COUNT(farm->core->leases);
    size_t skip = fuzz_pick(&farm->in, n + 1);
    const struct lease *lease = farm->core->leases;
    while (lease != NULL && skip-- > 0)
        lease = lease->hh.next;
    return lease;
}

/* A run as it stands, mostly; now and then shorter. */
static void known_run(struct farm *farm, const struct lease *lease,
                      struct msg_lease *ret)
{
    const struct frames *frames = &lease->job->frames;
    int32_t last = lease->hi - 1;
    int32_t back = (int32_t)fuzz_number(&farm->in, 0, 7);
    if (back < last - lease->lo)
        last -= back;
    ret->lease = lease->id;
    ret->job = lease->job->id;
    ret->from = frames_number(frames, lease->lo);
    ret->to = frames_number(frames, last);
    ret->step = frames_run(frames, lease->lo)->step;
    if ((ret->to - ret->from) % ret->step != 0)
        ret->to = ret->from;
}

static void any_run(struct farm *farm, struct msg_lease *ret)
{
    struct fuzz_bytes *in = &farm->in;
    uint64_t epoch = farm->epoch + (uint64_t)fuzz_number(in, 0, 2);
    ret->lease = LEASE_ID(epoch > 1 ? epoch - 1 : 1, fuzz_number(in, 1, 9));
    ret->job = farm_job(farm);
    ret->from = (int32_t)fuzz_number(in, 0, 30);
    ret->step = (int32_t)fuzz_number(in, 1, 3);
    ret->to = ret->from + ret->step * (int32_t)fuzz_number(in, 0, 9);
}

static int32_t count_of(const struct msg_lease *lease)
{
    return (lease->to - lease->from) / lease->step + 1;
}

/* A frame of the run, or -1. */
static int32_t choose_frame(struct farm *farm, const struct msg_lease *lease)
{
    int32_t at = (int32_t)fuzz_number(&farm->in, -1, 9);
    return at >= 0 && at < count_of(lease) ? lease->from + at * lease->step
                                           : -1;
}

static void add_results(struct farm *farm, struct msg_lease *lease)
{
    struct msg_result *results =
        arena_new(&farm->arena, RESULTS * sizeof *results);
    uint64_t bits = fuzz_take(&farm->in, 1);
    for (int32_t i = 0; i < RESULTS && i < count_of(lease); i++)
        if ((bits >> i & 1) != 0)
            results[lease->n_results++] =
                (struct msg_result){.frame = lease->from + i * lease->step,
                                    .ms = (int32_t)(bits * 10),
                                    .files = (bits & 1) != 0 ? "[]" : ""};
    lease->results = results;
}

static struct msg_lease choose_entry(struct farm *farm)
{
    struct fuzz_bytes *in = &farm->in;
    struct msg_lease entry = {.blamed = -1, .text = ""};
    const struct lease *lease = choose_lease(farm);
    if (lease != NULL)
        known_run(farm, lease, &entry);
    else
        any_run(farm, &entry);
    entry.status = (int32_t)fuzz_number(in, LEASE_ACCEPTED, LEASE_STOPPED);
    entry.frame = choose_frame(farm, &entry);
    entry.permille = (int32_t)fuzz_number(in, 0, 9) * 100;
    entry.done = (int32_t)fuzz_number(in, 0, 9) % (count_of(&entry) + 1);
    if (entry.status == LEASE_FAILED) {
        entry.fault = (int32_t)fuzz_number(in, 1, FAULT_COUNT - 1);
        entry.blamed = choose_frame(farm, &entry);
        entry.text = "it broke";
    }
    add_results(farm, &entry);
    return entry;
}

static bool is_new(const struct msg_lease *list, size_t n, uint64_t lease)
{
    for (size_t i = 0; i < n; i++)
        if (list[i].lease == lease)
            return false;
    return true;
}

static void add_leases(struct farm *farm, struct msg_state *state)
{
    struct msg_lease *leases = arena_new(&farm->arena, LEASES * sizeof *leases);
    size_t n = fuzz_pick(&farm->in, LEASES + 1);
    while (n-- > 0) {
        struct msg_lease entry = choose_entry(farm);
        if (is_new(leases, state->n_leases, entry.lease))
            leases[state->n_leases++] = entry;
    }
    state->leases = leases;
}

static void choose_node(struct farm *farm, struct msg_state *state)
{
    static const char *const tags[] = {"gpu"};
    uint64_t bits = fuzz_take(&farm->in, 1);
    state->tags = tags;
    state->n_tags = (bits & 1) != 0 ? 1 : 0;
    state->node = (struct msg_node){.up = (bits & 2) == 0,
                                    .classic = (bits & 4) != 0,
                                    .can_trim = (bits & 8) != 0,
                                    .can_stop = (bits & 16) != 0,
                                    .memory_mb = (bits & 32) != 0 ? 2000 : 0,
                                    .gpus = (bits & 64) != 0 ? 1 : 0,
                                    .blender = (bits & 128) != 0 ? "" : "3.4"};
}

/* What an agent that is well would say of its lane. */
static void choose_lane(struct farm *farm, const struct agent *agent,
                        struct msg_state *state)
{
    struct fuzz_bytes *in = &farm->in;
    uint64_t odd = fuzz_take(in, 1);
    state->lane = agent != NULL ? agent->lane : 0;
    state->dseq = agent != NULL ? agent->lane_sent : 0;
    if ((odd & 3) == 3)
        state->lane = odd >> 2;
    if ((odd & 4) != 0)
        state->dseq = odd >> 3;
    if (state->lane == 0)
        state->dseq = 0;
}

static void choose_run(struct farm *farm, const struct agent *agent,
                       struct msg_state *state)
{
    uint64_t odd = fuzz_take(&farm->in, 1);
    state->inc = agent != NULL && agent->inc > 0 ? agent->inc : 1;
    state->seq = agent != NULL ? agent->seq + 1 : 1;
    state->epoch = farm->epoch;
    if ((odd & 7) == 7)
        state->inc = 1 + (odd >> 3) % 3;
    if ((odd & 0xe0) == 0xe0)
        state->seq = 1 + (odd & 31);
}

/* Through the wire. */
static const struct msg_state *sent(struct farm *farm,
                                    const struct msg_state *state)
{
    char why[LIMIT_REASON];
    struct buf bytes;
    struct msg msg = {.kind = KIND_STATE, .state = *state};
    struct msg *heard = arena_new(&farm->arena, sizeof *heard);
    buf_init(&bytes, LIMIT_MESSAGE);
    assert(msg_encode(&msg, &bytes));
    assert(msg_decode(bytes.data, bytes.len, &farm->arena, heard, why,
                      sizeof why));
    buf_free(&bytes);
    return &heard->state;
}

const struct msg_state *farm_state(struct farm *farm)
{
    struct msg_state state = {.agent = farm_agent(farm)};
    const struct agent *agent = agent_find(farm->core, state.agent);
    choose_run(farm, agent, &state);
    choose_lane(farm, agent, &state);
    choose_node(farm, &state);
    uint64_t bits = fuzz_take(&farm->in, 1);
    state.slots = (int32_t)(bits & 3);
    state.leaving = (bits & 0xf0) == 0xf0;
    add_leases(farm, &state);
    return sent(farm, &state);
}
