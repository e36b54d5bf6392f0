/* SPDX-License-Identifier: Apache-2.0
 *
 * Changes of the agents' keys, one after another: each is answered once the
 * file is on disk, which the ledger's thread sees to, so that no agent waits
 * for the disk. Whose client leaves before its turn changes nothing.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_KEY_CHANGES_H
#define FRAMEQ_BROKER_PEOPLE_KEY_CHANGES_H

#include "broker/people/call.h"
#include "common/app/join.h"

struct key_change {
    struct call *call; /* NULL: its client has left */
    bool removes;
    struct join join; /* its name; of one that adds all but the secret */
    void (*done)(struct http *http, const struct key_change *change);
    char *who; /* asked for it */
    struct key_change *prev, *next;
};

/* key_change_begin parks the call until the change is made (copied; call and
 * who are filled). Then done is called, the join's secret filled, or a refusal
 * answered. */
void key_change_begin(struct call *call, const struct key_change *change);

/* key_changes_close forgets what is not over. After the calls are gone. */
void key_changes_close(struct http *http);

#endif
