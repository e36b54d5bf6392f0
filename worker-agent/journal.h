/* SPDX-License-Identifier: Apache-2.0
 *
 * What this agent has at its node, kept for its next run: one small file a
 * lease, written before the POST and removed when the broker has settled it.
 * Not synced: agent and node share a machine, a power cut ends both. The folder
 * is held by one agent at a time.
 */
#ifndef FRAMEQ_WORKER_AGENT_JOURNAL_H
#define FRAMEQ_WORKER_AGENT_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/msg.h"

struct journal;

struct journal_record {
    struct msg_batch batch; /* lease, job, name, from, to, step, replace, plain,
                               render, trace; the rest is zero */
    const char *node;       /* URL of the node it was posted to */
    int64_t posted_ms;
    int64_t pid; /* 0: none known */
};

/* journal_open takes the folder (made where it is missing). Returns NULL with
 * the reason in why, also when another agent holds it. */
struct journal *journal_open(const char *dir, char *why, size_t size);
void journal_close(struct journal **journal);

/* journal_read calls each with every record, oldest lease first; what it points
 * to lives during the call. Files that are no record are removed; returns how
 * many. */
size_t journal_read(struct journal *journal,
                    void (*each)(void *ctx,
                                 const struct journal_record *record),
                    void *ctx);

/* journal_save writes a record, in place of the lease's last one. Returns false
 * with errno set when it can't. */
bool journal_save(struct journal *journal, const struct journal_record *record);

void journal_remove(struct journal *journal, uint64_t lease);

#endif
