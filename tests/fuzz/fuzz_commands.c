/* SPDX-License-Identifier: Apache-2.0
 *
 * Commands to a fuzzed farm: one byte chooses which, more choose its fields,
 * within what the doors of the broker let through.
 */
#include <assert.h>

#include "common/limits.h"
#include "tests/fuzz/fuzz_farm.h"

#define CLOCK_BACK_MS 20000
#define TICKS_MAX     8 /* at one moment until nothing is due */

static const char *const jobs[] = {"job-a-0123456789", "job-b-0123456789",
                                   "job-c-0123456789", "job-d-0123456789",
                                   "job-e-0123456789", "job-f-0123456789"};
static const char *const expressions[] = {
    "0", "1-3", "1-9x2", "5,7-9,20-30x5", "0-99", "1-2500", "3,5,8,13,21,34"};

#define COUNT(list) (sizeof(list) / sizeof *(list))

const char *farm_job(struct farm *farm)
{
    return jobs[fuzz_pick(&farm->in, COUNT(jobs))];
}

const char *farm_agent(struct farm *farm)
{
    static const char *const agents[] = {"a1", "a2", "a3", "a4"};
    return agents[fuzz_pick(&farm->in, COUNT(agents))];
}

/* Borrowed; each is read once, which takes longer than many a step. */
static const struct frames *choose_frames(struct farm *farm)
{
    static struct frames lists[COUNT(expressions)];
    char why[LIMIT_REASON];
    size_t at = fuzz_pick(&farm->in, COUNT(expressions));
    if (lists[at].count == 0)
        assert(frames_parse(expressions[at], &lists[at], why, sizeof why));
    return &lists[at];
}

/* No time, or one soon. */
static int64_t choose_time(struct farm *farm)
{
    int64_t after_s = fuzz_number(&farm->in, 0, 20);
    return after_s == 0 ? 0 : farm->now_ms + after_s * 1000;
}

static void choose_needs(struct farm *farm, struct job_spec *spec)
{
    static const char *const tags[] = {"gpu"};
    static const char *depends[1];
    uint64_t bits = fuzz_take(&farm->in, 1);
    spec->tags = tags;
    spec->n_tags = (bits & 3) == 3 ? 1 : 0;
    spec->gpu = (bits & 12) == 12;
    spec->memory_mb = (bits & 48) == 48 ? 1000 : 0;
    spec->blender = (bits & 64) != 0 ? "3.4" : "";
    if ((bits & 128) == 0)
        return;
    depends[0] = farm_job(farm);
    spec->depends = depends;
    spec->n_depends = 1;
}

void farm_spec(struct farm *farm, struct job_spec *ret)
{
    struct fuzz_bytes *in = &farm->in;
    uint64_t bits = fuzz_take(in, 1);
    *ret = (struct job_spec){.id = farm_job(farm),
                             .name = "shot",
                             .user = (bits & 1) != 0 ? "ann" : "bob",
                             .key = (bits & 6) == 6 ? "key" : "",
                             .batch = (int32_t)fuzz_number(in, -1, 4),
                             .priority = (int32_t)fuzz_number(in, 49, 51),
                             .max_attempts = (int32_t)fuzz_number(in, 0, 3),
                             .max_agents = (int32_t)fuzz_number(in, 0, 2),
                             .paused = (bits & 24) == 24,
                             .plain = (bits & 32) != 0,
                             .not_before_ms =
                                 (bits & 64) != 0 ? choose_time(farm) : 0,
                             .blend = (bits & 128) != 0 ? "/a.blend" : "",
                             .render = "{}",
                             .doc = "{}"};
    choose_needs(farm, ret);
    ret->frames = *choose_frames(farm);
}

/* --- People. --- */

static void do_submit(struct farm *farm)
{
    struct job_spec spec;
    farm_spec(farm, &spec);
    struct cmd cmd = {.type = CMD_SUBMIT, .spec = &spec};
    farm_do(farm, &cmd);
}

static void do_frames(struct farm *farm, struct cmd *cmd)
{
    cmd->job = farm_job(farm);
    if (fuzz_bool(&farm->in))
        cmd->frames = choose_frames(farm);
    farm_do(farm, cmd);
}

static void do_cancel(struct farm *farm)
{
    struct cmd cmd = {.type = CMD_CANCEL, .text = "not wanted"};
    do_frames(farm, &cmd);
}

static void do_retry(struct farm *farm)
{
    struct cmd cmd = {.type = CMD_RETRY, .text = ""};
    if (fuzz_bool(&farm->in))
        cmd.text = farm_agent(farm);
    do_frames(farm, &cmd);
}

static void do_patch(struct farm *farm)
{
    struct fuzz_bytes *in = &farm->in;
    uint64_t bits = fuzz_take(in, 1);
    struct cmd cmd = {.type = CMD_PATCH,
                      .job = farm_job(farm),
                      .patch = {.has_priority = (bits & 1) != 0,
                                .has_paused = (bits & 2) != 0,
                                .has_max_agents = (bits & 4) != 0,
                                .priority = (int32_t)fuzz_number(in, 49, 51),
                                .paused = (bits & 8) != 0,
                                .max_agents = (int32_t)fuzz_number(in, 0, 2)}};
    farm_do(farm, &cmd);
}

static void do_forget(struct farm *farm)
{
    struct cmd cmd = {.type = CMD_FORGET, .job = farm_job(farm)};
    farm_do(farm, &cmd);
}

static void do_drain(struct farm *farm)
{
    struct cmd cmd = {.type = CMD_DRAIN, .agent = farm_agent(farm)};
    cmd.number = (int32_t)fuzz_number(&farm->in, DRAIN_OFF, DRAIN_NOW);
    cmd.until_ms = cmd.number == DRAIN_OFF ? 0 : choose_time(farm);
    farm_do(farm, &cmd);
}

/* --- Agents and their sockets. --- */

static void do_state(struct farm *farm)
{
    struct cmd cmd = {.type = CMD_STATE, .state = farm_state(farm)};
    farm_do(farm, &cmd);
}

static void do_gone(struct farm *farm)
{
    struct cmd cmd = {.type = CMD_GONE, .agent = farm_agent(farm)};
    const struct agent *agent = agent_find(farm->core, cmd.agent);
    cmd.inc = agent != NULL && !fuzz_bool(&farm->in) ? agent->inc : 2;
    farm_do(farm, &cmd);
}

static void do_expel(struct farm *farm)
{
    struct cmd cmd = {.type = CMD_EXPEL, .agent = farm_agent(farm)};
    farm_do(farm, &cmd);
}

/* Of a batch that was sent in this epoch. */
static void do_unsent(struct farm *farm)
{
    struct cmd cmd = {.type = CMD_UNSENT};
    cmd.lease = LEASE_ID(farm->epoch, fuzz_number(&farm->in, 1, 12));
    farm_do(farm, &cmd);
}

/* --- Ledger, clock, life. --- */

static void do_committed(struct farm *farm)
{
    struct cmd cmd = {.type = CMD_COMMITTED};
    uint64_t behind = fuzz_take(&farm->in, 1) % 4;
    uint64_t last = farm->core->seq;
    if (behind > last - farm->committed)
        behind = last - farm->committed;
    cmd.seq = farm->committed = last - behind;
    farm_do(farm, &cmd);
}

static void do_tick(struct farm *farm)
{
    struct cmd cmd = {.type = CMD_TICK};
    static const int64_t waits_ms[] = {0, 100, 1000, 2000, 4000, 6000, 9000};
    farm->now_ms += waits_ms[fuzz_pick(&farm->in, COUNT(waits_ms))];
    int ticks = 0;
    do {
        farm_do(farm, &cmd);
        assert(++ticks < TICKS_MAX);
    } while (core_next(farm->core) <= farm->now_ms);
}

static void do_restart(struct farm *farm)
{
    size_t n = farm->n_ledger;
    size_t lost = (size_t)fuzz_take(&farm->in, 1) % 4;
    while (lost-- > 0 && n > 0 && farm->ledger[n - 1].seq > farm->committed)
        n--;
    if (fuzz_bool(&farm->in))
        farm->now_ms -= CLOCK_BACK_MS; /* somebody set it right meanwhile */
    farm_restart(farm, n);
}

/* States come more often than the rest: whole stories need many. */
static void (*const commands[])(struct farm *farm) = {
    do_state,     do_state, do_state,  do_state,  do_submit,
    do_committed, do_tick,  do_cancel, do_retry,  do_patch,
    do_forget,    do_drain, do_gone,   do_unsent, do_restart};

/* The last bytes are of a command that came later than the corpus, whose inputs
 * keep their meaning so. */
#define FIRST_EXPEL 240

void farm_run(struct farm *farm)
{
    while (farm->in.left > 0) {
        uint64_t byte = fuzz_take(&farm->in, 1);
        if (byte >= FIRST_EXPEL)
            do_expel(farm);
        else
            commands[byte % COUNT(commands)](farm);
        arena_reset(&farm->arena);
    }
}
