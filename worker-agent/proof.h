/* SPDX-License-Identifier: Apache-2.0
 *
 * Proof for nodes that give none: the folder a classic node writes into is
 * looked at for whole pictures that have changed since a batch was posted. One
 * step is one listing of the folder or one picture decoded, so the loop stays
 * free in between; a picture of many megabytes holds it for its decoding.
 */
#ifndef FRAMEQ_WORKER_AGENT_PROOF_H
#define FRAMEQ_WORKER_AGENT_PROOF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker-agent/frame_name.h"

struct proof;

struct proof_news {
    uint64_t lease;
    bool settled;      /* every file there is was looked at; else a frame: */
    int32_t frame, ms; /* ms: since the frame before; 0: not known */
    const char *files; /* JSON list, at most LIMIT_FILES; until the next step */
};

/* proof_open watches the folder dir (made where it is missing). NULL with the
 * reason in why. */
struct proof *proof_open(const char *dir, char *why, size_t size);
void proof_close(struct proof **proof);

/* proof_begin watches for a lease's frames from now on: call it right before
 * its POST. proof_resume does for one posted at posted_ms in an earlier run: a
 * file counts when it was changed after that. */
void proof_begin(struct proof *proof, uint64_t lease,
                 const struct frame_run *run, int64_t now_ms);
void proof_resume(struct proof *proof, uint64_t lease,
                  const struct frame_run *run, int64_t posted_ms);

/* proof_settle asks for news with `settled` once all there is was looked at
 * after this call. Returns false when it does not watch for that lease.
 * proof_end forgets the lease; an unknown one is fine. */
bool proof_settle(struct proof *proof, uint64_t lease);
void proof_end(struct proof *proof, uint64_t lease);

/* proof_step does one piece of work that is due. Returns whether there is news.
 * proof_next returns when to call it again, INT64_MAX: no lease is watched. */
bool proof_step(struct proof *proof, int64_t now_ms, struct proof_news *ret);
int64_t proof_next(const struct proof *proof);

#endif
