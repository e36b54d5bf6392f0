/* SPDX-License-Identifier: Apache-2.0
 *
 * Any HTTP requests, one after the other, to a broker with two jobs and an
 * agent: every one is answered, once, with an answer that is what it says it
 * is, and the core keeps every invariant.
 */
#include <assert.h>

#include "broker/broker_internal.h"
#include "broker/core/state.h"
#include "broker/people/http.h"
#include "common/limits.h"
#include "tests/fuzz/fuzz_httpd.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static struct {
    struct core *core;
    struct broker *broker;
    struct http *http;
    int64_t now_ms;
} door;

static void turn(void)
{
    broker_turn(door.broker, door.now_ms);
    broker_settle(door.broker);
    http_run(door.http, door.now_ms);
    broker_report(door.broker);
}

static void command(const struct cmd *cmd)
{
    turn();
    assert(broker_do(door.broker, cmd, NULL, 0) == RC_OK);
    turn();
}

static void submit(const char *id, const char *key)
{
    struct job_spec spec = {.id = id,
                            .name = "shot",
                            .user = "ann",
                            .key = key,
                            .batch = -1,
                            .priority = 50,
                            .blender = "",
                            .blend = "",
                            .render = "{}",
                            .doc = "{\"from\":1,\"to\":9}"};
    struct cmd cmd = {.type = CMD_SUBMIT, .spec = &spec};
    frames_span(&spec.frames, 1, 9, 2);
    command(&cmd);
    frames_free(&spec.frames);
}

/* A lease of the first job: one frame done, one failed, the others go back. */
static void say(uint64_t seq, const struct msg_lease *lease)
{
    const struct agent *agent = agent_find(door.core, "a1");
    struct msg_state state = {.agent = "a1",
                              .inc = 1,
                              .seq = seq,
                              .epoch = 7,
                              .lane = agent != NULL ? agent->lane : 0,
                              .dseq = agent != NULL ? agent->lane_sent : 0,
                              .slots = 1,
                              .why = "",
                              .version = "1",
                              .node = {.up = true,
                                       .name = "",
                                       .version = "",
                                       .blender = "3.4.1",
                                       .device = "",
                                       .error = ""},
                              .leases = lease,
                              .n_leases = lease != NULL ? 1 : 0};
    struct cmd cmd = {.type = CMD_STATE, .state = &state};
    command(&cmd);
}

static void render(void)
{
    static const struct msg_result done = {1, 1500, "[]"};
    say(1, NULL);
    say(2, NULL);
    const struct lease *lease = door.core->leases;
    assert(lease != NULL);
    const struct msg_lease entry = {.lease = lease->id,
                                    .job = lease->job->id,
                                    .from = 1,
                                    .to = 9,
                                    .step = 2,
                                    .status = LEASE_FAILED,
                                    .frame = -1,
                                    .fault = FAULT_RENDER,
                                    .blamed = 3,
                                    .text = "it broke",
                                    .results = &done,
                                    .n_results = 1};
    say(3, &entry);
}

static void door_open(void)
{
    static const struct broker_facts facts = {.http_port = 1,
                                              .status_port = 2,
                                              .control_port = 3,
                                              .feed_port = 4,
                                              .epoch = 7,
                                              .start_ms = 1000,
                                              .data_dir = "/nowhere"};
    const struct core_options options = {.batch = 5,
                                         .max_attempts = 1,
                                         .lease_ttl_ms = 15000,
                                         .orphan_grace_ms = -1,
                                         .jobs_max = 6,
                                         .agents_max = 10};
    const struct http_options face = {.host = "127.0.0.1"};
    const struct cmd restart = {.type = CMD_RESTART, .epoch = facts.epoch};
    ledger_reset();
    door.now_ms = INT64_C(1800000000000);
    door.core = core_new(&options);
    door.broker = broker_new(door.core, NULL, &facts);
    door.http = http_open(door.broker, NULL, &face, NULL, 0);
    command(&restart);
    submit("first-0123456789", "key-1");
    render();
    submit("other-0123456789", "");
}

/* The last turns bring what was waited for: the ledger, and time. */
static void door_close(void)
{
    http_drain(door.http);
    for (int i = 0; i < 3; i++)
        turn();
    http_close(&door.http);
    broker_free(&door.broker);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct arena arena;
    struct fuzz_bytes in = {bytes, len};
    arena_reset(&arena);
    door_open();
    while (in.left > 0) {
        broker_turn(door.broker, door.now_ms += 100);
        httpd_take(&in, &arena);
        turn();
        core_check(door.core);
    }
    door_close();
    return 0;
}
