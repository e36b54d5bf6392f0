/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent's pure part with a node, a broker and a clock that a test plays.
 * After every step the STATE is written and read as a message, which asserts
 * every bound and rule of it. Included by one test program at a time.
 */
#ifndef FRAMEQ_TESTS_UNIT_SLOTS_WORLD_H
#define FRAMEQ_TESTS_UNIT_SLOTS_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <utlist.h>

#include "common/mem.h"
#include "worker-agent/slots.h"

#define JOB   "AAAAAAAAAAAAAAAA"
#define ID(n) LEASE_ID(1, n)

struct world {
    struct slots slots;
    struct acts acts;
    struct buf log; /* acts as words since they were last asserted */
    struct arena arena;
    struct msg state; /* the last one read */
    int64_t now_ms;
};

static const struct node_facts ours = {.known = true,
                                       .up = true,
                                       .well = true,
                                       .can_wait = true,
                                       .can_trim = true,
                                       .can_stop = true,
                                       .can_key = true,
                                       .slots = 1};
static const struct node_facts classic = {
    .known = true, .up = true, .well = true, .classic = true, .slots = 1};

/* --- The world. --- */

static inline int set_up(void **state)
{
    struct world *world = mem_new(sizeof *world);
    slots_init(&world->slots, 0, false);
    buf_init(&world->log, 65536);
    world->now_ms = 1000000;
    slots_node(&world->slots, world->now_ms, &ours);
    *state = world;
    return 0;
}

static inline int tear_down(void **state)
{
    struct world *world = *state;
    slots_done(&world->slots);
    acts_free(&world->acts);
    buf_free(&world->log);
    arena_done(&world->arena);
    mem_free(world);
    return 0;
}

static inline void use_classic(struct world *world, bool proving)
{
    slots_done(&world->slots);
    slots_init(&world->slots, 0, proving);
    slots_node(&world->slots, world->now_ms, &classic);
}

static inline void note_act(struct world *world, const struct act *act)
{
    static const char *const words[] = {
        [ACT_SAVE] = "save", [ACT_POST] = "post",     [ACT_POLL] = "poll",
        [ACT_TRIM] = "trim", [ACT_STOP] = "stop",     [ACT_SETTLE] = "settle",
        [ACT_ENDED] = "end", [ACT_FORGET] = "forget",
    };
    unsigned number = (unsigned)(act->lease - LEASE_ID(1, 0));
    buf_print(&world->log, "%s%s%u", world->log.len == 0 ? "" : " ",
              words[act->type], number);
    if (act->type == ACT_TRIM)
        buf_print(&world->log, ":%d", (int)act->to);
}

static inline void read_state(struct world *world)
{
    struct msg msg = {.kind = KIND_STATE,
                      .state = {.agent = "a", .inc = 1, .seq = 1}};
    struct buf bytes;
    char why[256];
    buf_init(&bytes, LIMIT_MESSAGE);
    arena_reset(&world->arena);
    slots_state(&world->slots, &world->arena, &msg.state);
    assert_true(msg_encode(&msg, &bytes));
    if (!msg_decode(bytes.data, bytes.len, &world->arena, &world->state, why,
                    sizeof why))
        fail_msg("%s", why);
    buf_free(&bytes);
}

/* Steps until nothing more is asked for, as the agent's loop does. */
static inline void step(struct world *world)
{
    do {
        acts_clear(&world->acts);
        slots_step(&world->slots, world->now_ms, &world->acts);
        for (size_t i = 0; i < world->acts.n; i++)
            note_act(world, &world->acts.at[i]);
    } while (world->acts.n > 0);
    read_state(world);
}

#define assert_acts(world, words)                                              \
    do {                                                                       \
        step(world);                                                           \
        assert_string_equal(buf_text(&(world)->log), words);                   \
        buf_clear(&(world)->log);                                              \
    } while (0)

static inline void pass(struct world *world, int64_t ms)
{
    world->now_ms += ms;
}

/* Lets time go by until the next act or for ms. Returns how long it took. */
static inline int64_t pass_to_act(struct world *world, int64_t ms)
{
    int64_t began_ms = world->now_ms, until_ms = began_ms + ms;
    buf_clear(&world->log);
    for (;;) {
        step(world);
        int64_t next_ms = slots_next(&world->slots);
        if (world->log.len > 0 || next_ms > until_ms)
            break;
        assert_true(next_ms > world->now_ms);
        world->now_ms = next_ms;
    }
    return world->now_ms - began_ms;
}

static inline struct msg_batch batch_of(unsigned n, int32_t from, int32_t to)
{
    return (struct msg_batch){.lease = ID(n),
                              .job = JOB,
                              .name = "shot",
                              .from = from,
                              .to = to,
                              .step = 1,
                              .render = "{}"};
}

static inline bool give(struct world *world, unsigned n, int32_t from,
                        int32_t to)
{
    struct msg_batch batch = batch_of(n, from, to);
    return slots_batch(&world->slots, world->now_ms, &batch);
}

/* What an answer leaves out (0) it does not say. */
static inline void answer(struct world *world, unsigned n, enum call call,
                          const struct node_answer *answer)
{
    struct node_answer full = *answer;
    if (full.to == 0)
        full.to = -1;
    if (full.frame == 0)
        full.frame = -1;
    if (full.text == NULL)
        full.text = "";
    slots_answer(&world->slots, world->now_ms, ID(n), call, &full);
}

#define ANSWER(...) (&(const struct node_answer){__VA_ARGS__})

/* A batch of frames from..to that the node runs, nothing asked yet. */
static inline void give_running(struct world *world, unsigned n, int32_t from,
                                int32_t to)
{
    assert_true(give(world, n, from, to));
    step(world);
    answer(world, n, CALL_POST,
           ANSWER(.word = ANSWER_TAKEN, .pid = 6 + (int64_t)n));
    step(world);
    buf_clear(&world->log);
}

static const struct msg_lease *shown(const struct world *world, unsigned n)
{
    const struct msg_state *state = &world->state.state;
    for (size_t i = 0; i < state->n_leases; i++)
        if (state->leases[i].lease == ID(n))
            return &state->leases[i];
    return NULL;
}

static inline void assert_status(const struct world *world, unsigned n,
                                 enum lease_status status)
{
    assert_non_null(shown(world, n));
    assert_int_equal(shown(world, n)->status, status);
}

static inline void assert_failed(struct world *world, unsigned n,
                                 enum fault fault, int32_t blamed)
{
    assert_status(world, n, LEASE_FAILED);
    assert_int_equal(shown(world, n)->fault, fault);
    assert_int_equal(shown(world, n)->blamed, blamed);
}

static inline void ack(struct world *world, unsigned n, int32_t from,
                       int32_t to, bool closed)
{
    const struct msg_ack one = {ID(n), from, to, closed};
    slots_acks(&world->slots, &(struct msg_acks){&one, 1});
}

static inline int32_t room(const struct world *world)
{
    return world->state.state.slots;
}

static inline void trim(struct world *world, unsigned n, int32_t to)
{
    slots_trim(&world->slots, &(struct msg_trim){ID(n), to});
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
