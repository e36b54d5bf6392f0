/* SPDX-License-Identifier: Apache-2.0
 *
 * Webhooks: who submitted a job with `notify` is told how it ended, and once
 * before that when frames of it are given up while others go on. What must be
 * told is derived from the jobs there are; a file in --data remembers only what
 * was told, so that a broker that was killed tells a thing twice rather than
 * never. A job has one message at a time, about how it is now. Each is signed,
 * and tried again until HOOKS_PATIENCE_MS have gone by.
 */
#ifndef FRAMEQ_BROKER_HOOKS_HOOKS_H
#define FRAMEQ_BROKER_HOOKS_HOOKS_H

#include "broker/broker.h"
#include "broker/views/exposition.h"

#define HOOKS_PATIENCE_MS (24 * 3600000LL)

struct hooks;

struct hooks_options {
    const char *dir;          /* of the secret and of what was told */
    const char *const *allow; /* rules of hook_gate.h, borrowed */
    size_t n_allow;
};

/* hooks_open makes the farm's secret where there is none, and looks for what
 * was not told yet. NULL with the reason in why. hooks_close ends what is under
 * way; what it does not know to have arrived is sent again at the next start.
 */
struct hooks *hooks_open(struct broker *broker,
                         const struct hooks_options *options, char *why,
                         size_t size);
void hooks_close(struct hooks **hooks);

/* For the loop: hooks_settle once a turn; hooks_next, when it must run at the
 * latest. */
void hooks_settle(struct hooks *hooks);
int64_t hooks_next(const struct hooks *hooks);

/* hooks_secret returns what receivers check signatures with, "whsec_<base64>".
 */
const char *hooks_secret(const struct hooks *hooks);

size_t hooks_waiting(const struct hooks *hooks);

/* hooks_write appends its metrics. */
void hooks_write(const struct hooks *hooks, const struct exposition *to);

#endif
