/* SPDX-License-Identifier: Apache-2.0
 *
 * What the tests of the core share: a farm with a ledger in memory, whose
 * clock is the test's; agents in the test's hand, which say what the test lets
 * them say; and the events of the last step. Every step is followed by
 * core_check.
 */
#ifndef FRAMEQ_TESTS_UNIT_CORE_FARM_H
#define FRAMEQ_TESTS_UNIT_CORE_FARM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/core/state.h"
#include "common/buf.h"

#define FARM_TTL_MS  15000
#define HAND_LEASES  16
#define HAND_RESULTS 32

struct farm {
    struct core_options options;
    struct core *core;
    int64_t now_ms;
    struct arena arena;
    struct events out;  /* of the last step */
    char why[256];      /* of the last step */
    struct buf *ledger; /* record i has seq i + 1 */
    size_t n_ledger;
    struct buf charges;   /* "agent:frame ..." of all steps */
    uint64_t benched_seq; /* of the last BENCHED; 0: none yet */
};

/* An agent in a test's hand: what it says next. */
struct hand {
    struct msg_state state;
    struct msg_lease leases[HAND_LEASES];
    struct msg_result results[HAND_LEASES][HAND_RESULTS];
};

/* For cmocka_unit_test_setup_teardown; *state is the struct farm, in epoch 1,
 * with 3 attempts a frame and fixed batches of 5. */
int farm_setup(void **state);
int farm_teardown(void **state);

/* farm_do takes one step, after which out, why and the ledger hold what came of
 * it. */
enum rc farm_do(struct farm *farm, const struct cmd *cmd);

/* farm_tick lets time pass with a tick whenever the core wants one, and one at
 * the end; out holds what came of all of them. farm_sleep lets it pass with the
 * broker stopped, and one tick when it runs again. */
void farm_tick(struct farm *farm, int64_t after_ms);
void farm_sleep(struct farm *farm, int64_t for_ms);
void farm_commit(struct farm *farm);

/* farm_restart crashes the broker, which loses the last `lost` records, and
 * starts the next epoch. */
void farm_restart(struct farm *farm, size_t lost);

/* The nth event of a type in the last step, or NULL; and how many. */
const struct event *farm_event(const struct farm *farm, enum event_type type,
                               size_t nth);
size_t farm_count(const struct farm *farm, enum event_type type);

/* farm_spec describes a plain job; name is made into an id. */
struct job_spec farm_spec(struct farm *farm, const char *name,
                          const char *frames);
/* farm_submit submits it, commits, and returns the job; frees its frames. */
struct job *farm_submit(struct farm *farm, struct job_spec *spec);
/* farm_job is both, with batches as the farm has them. */
struct job *farm_job(struct farm *farm, const char *name, const char *frames);

/* Commands of people; frames NULL: those the command means by itself. */
enum rc farm_ask(struct farm *farm, enum cmd_type type, const struct job *job,
                 const char *frames, const char *text);
enum rc farm_patch(struct farm *farm, const struct job *job,
                   const struct cmd_patch *patch);
enum rc farm_drain(struct farm *farm, const char *agent, enum drain drain,
                   int64_t until_ms);

/* hand_init makes an agent with slots and a node that can do everything. */
void hand_init(struct hand *hand, const char *name, int32_t slots);

/* hand_say sends its STATE. */
void hand_say(struct farm *farm, struct hand *hand);

/* hand_lane takes the lane that the last step ordered for it. */
void hand_lane(const struct farm *farm, struct hand *hand);

/* hand_join says hello, takes its lane, says so, and takes what it is given. */
void hand_join(struct farm *farm, struct hand *hand);

/* hand_take takes all batches that the last step sent it, as running; returns
 * how many. */
int hand_take(const struct farm *farm, struct hand *hand);

/* The hand's ith lease. hand_end ends it; fault only with LEASE_FAILED.
 * hand_render gives it results of frames from to to; hand_drop unlists it. */
void hand_end(struct hand *hand, int i, enum lease_status status,
              enum fault fault, int32_t blamed);
void hand_render(struct hand *hand, int i, int32_t from, int32_t to);
void hand_drop(struct hand *hand, int i);

/* hand_finish renders all of lease i, ends it, says so and drops it. */
void hand_finish(struct farm *farm, struct hand *hand, int i);

/* What becomes of a frame when an agent renders it; FAULT_NONE: a picture. */
typedef enum fault hand_rule(const char *agent, int32_t frame);

/* hand_work renders the frames of lease 0 until one fails, ends it so, says so
 * and drops it. */
void hand_work(struct farm *farm, struct hand *hand, hand_rule *rule);

/* farm_work lets n agents of one slot work, a launch each 100 ms, until nobody
 * has any or so many rounds are over. Returns how many launches there were;
 * farm->charges says whom they charged, in order. */
int farm_work(struct farm *farm, struct hand *hands, size_t n, hand_rule *rule,
              int rounds);

/* assert_run: the event is about ordinals [lo, hi). */
void assert_run(const struct event *event, int32_t lo, int32_t hi);

#endif
