/* SPDX-License-Identifier: Apache-2.0
 *
 * Logs and thumbnails of frames, under DATA/artifacts.db: bounded in bytes, the
 * oldest go first. They are for people to look at; no promise hangs on them,
 * and a damaged file of them is begun anew. A thread of its own reads and
 * writes; the loop never waits for the disk. Who may put what is not its
 * business.
 */
#ifndef FRAMEQ_BROKER_FILES_ARTIFACTS_H
#define FRAMEQ_BROKER_FILES_ARTIFACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/limits.h"

struct artifacts;

enum artifact_kind { ARTIFACT_LOG, ARTIFACT_THUMBNAIL };

/* Of one frame: of a log each attempt has its own, told apart by their leases;
 * of thumbnails the newest lease's is kept. */
struct artifact {
    enum artifact_kind kind;
    const char *job;
    int32_t frame;
    uint64_t lease;
    uint64_t offset; /* of a log: how much of its beginning is not kept */
    const void *bytes;
    size_t n; /* at most LIMIT_LOG */
};

struct artifacts_options {
    const char *dir;    /* that exists; copied */
    uint64_t bytes_max; /* past it the oldest go */
};

/* artifacts_open starts the thread. Returns NULL with the reason in why.
 * artifacts_close ends it after what it has in hand; what waits is lost. */
struct artifacts *artifacts_open(const struct artifacts_options *options,
                                 char *why, size_t size);
void artifacts_close(struct artifacts **artifacts);

/* artifacts_fd becomes readable when artifacts_run has answers, which it gives
 * by calling each done. */
int artifacts_fd(const struct artifacts *artifacts);
void artifacts_run(struct artifacts *artifacts);

/* artifacts_put keeps one (copied), in place of an earlier one of the same
 * lease. done gets NULL, or why it could not be kept. Returns false when
 * LIMIT_ARTIFACT_PUTS wait already. */
typedef void artifacts_kept(void *ctx, const char *why);
bool artifacts_put(struct artifacts *artifacts, const struct artifact *artifact,
                   artifacts_kept *done, void *ctx);

/* artifacts_get reads one: of the attempt-th of those kept, from 1, or, with 0,
 * of the last. done gets it, valid during the call, with how many attempts are
 * kept; or NULL where there is none. Returns false when too much waits. */
struct artifact_key {
    enum artifact_kind kind;
    const char *job;
    int32_t frame;
    int32_t attempt;
};
typedef void artifacts_found(void *ctx, const struct artifact *artifact,
                             int32_t attempt, int32_t attempts);
bool artifacts_get(struct artifacts *artifacts, const struct artifact_key *key,
                   artifacts_found *done, void *ctx);

/* artifacts_drop forgets all of a job. */
void artifacts_drop(struct artifacts *artifacts, const char *job);

/* artifacts_forget: ctx is not to be called any more. */
void artifacts_forget(struct artifacts *artifacts, const void *ctx);

#endif
