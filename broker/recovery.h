/* SPDX-License-Identifier: Apache-2.0
 *
 * From a ledger back to a farm: at the start, and for --check. What does not
 * decode or does not fit what came before ends the program, in one line.
 */
#ifndef FRAMEQ_BROKER_RECOVERY_H
#define FRAMEQ_BROKER_RECOVERY_H

#include "broker/ledger/store.h"

/* recovery_replay fills an empty core from the store of folder dir, and says
 * in one line of the log what it found. Jobs that have ended are packed. */
void recovery_replay(struct store *store, struct core *core, const char *dir);

/* recovery_check verifies the ledger in dir (store_verify), replays it into an
 * empty core, and says on stdout what is in it. Changes nothing. */
void recovery_check(struct core *core, const char *dir);

#endif
