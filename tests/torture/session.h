/* SPDX-License-Identifier: Apache-2.0
 *
 * A scripted life of a farm and its ledger: submit, lease, done, charge,
 * cancel, retry, forget, drain, a backup, a restart. The same each time, so
 * that what a ledger holds afterwards can be held against what it should.
 */
#ifndef FRAMEQ_TESTS_TORTURE_SESSION_H
#define FRAMEQ_TESTS_TORTURE_SESSION_H

#include <stdbool.h>
#include <stdint.h>

/* How a session ended. */
enum session_end {
    SESSION_WHOLE = 0,    /* the script was played to its end */
    SESSION_REFUSED = 10, /* the ledger could not be opened, with a reason */
    SESSION_BROKEN = 11,  /* the ledger broke on the way, with a reason */
    SESSION_WRONG = 12    /* something that must not be */
};

/* What a session tells, in memory that outlives its process. */
struct session_tale {
    volatile uint64_t acknowledged; /* last seq said to be on disk */
    volatile bool hasty; /* say so before it is: a lie that must come out */
};

/* session_play plays the script on the ledger in dir (empty). */
enum session_end session_play(const char *dir, struct session_tale *tale);

/* session_expect plays the core's part alone and keeps the digest that a
 * replay up to each seq must give. */
void session_expect(void);

/* session_check opens the ledger in dir, replays it, and tells whether it holds
 * all up to `acknowledged`, comes to the digest expected there, and takes
 * another event. Where not, why says so. */
bool session_check(const char *dir, uint64_t acknowledged, char *why,
                   unsigned long size);

#endif
