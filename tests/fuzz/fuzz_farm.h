/* SPDX-License-Identifier: Apache-2.0
 *
 * A farm of a few jobs and agents driven by a fuzzer's bytes: any command at
 * any moment, what agents say no nearer to the truth than a message can be.
 * Its ledger is kept as bytes; the broker may crash and lose what was not
 * committed. core_check follows every step.
 */
#ifndef FRAMEQ_TESTS_FUZZ_FUZZ_FARM_H
#define FRAMEQ_TESTS_FUZZ_FUZZ_FARM_H

#include "broker/core/state.h"
#include "common/buf.h"
#include "tests/fuzz/fuzz_bytes.h"

#define FARM_RECORDS 4096

struct farm_record {
    struct buf bytes;
    uint64_t seq;
    uint64_t digest; /* of the core after it; 0: in the middle of a step */
};

struct farm {
    struct fuzz_bytes in;
    struct core_options options;
    struct core *core;
    struct arena arena; /* of one step */
    struct events out;
    int64_t now_ms;
    uint64_t epoch, committed;
    struct farm_record ledger[FARM_RECORDS];
    size_t n_ledger;
};

/* farm_open begins with an empty ledger and no epoch; farm_close ends it after
 * its ledger was replayed to the same digest. */
void farm_open(struct farm *farm, const uint8_t *bytes, size_t len);
void farm_close(struct farm *farm);

/* farm_record appends an event to the ledger. */
void farm_record(struct farm *farm, const struct event *event);

/* farm_replay loads a core from the first n records, which must be right. */
struct core *farm_replay(struct farm *farm, size_t n);

/* farm_do takes one step and checks what every step keeps. */
enum rc farm_do(struct farm *farm, const struct cmd *cmd);

/* farm_restart kills the broker: only the first n records are left. */
void farm_restart(struct farm *farm, size_t n);

/* farm_run takes commands as long as there are bytes. */
void farm_run(struct farm *farm);

/* farm_spec, farm_job, farm_agent choose a new job (all borrowed), a job's id
 * and an agent's name. */
void farm_spec(struct farm *farm, struct job_spec *ret);
const char *farm_job(struct farm *farm);
const char *farm_agent(struct farm *farm);

/* farm_state chooses what an agent says (fuzz_state.c). */
const struct msg_state *farm_state(struct farm *farm);

#endif
