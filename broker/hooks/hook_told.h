/* SPDX-License-Identifier: Apache-2.0
 *
 * Which webhooks were delivered or given up, by id, one a line of a file that
 * is only added to. It is no ledger: a line that is lost to a power cut costs
 * one delivery too many, and is not waited for.
 */
#ifndef FRAMEQ_BROKER_HOOKS_HOOK_TOLD_H
#define FRAMEQ_BROKER_HOOKS_HOOK_TOLD_H

#include <stdbool.h>
#include <stddef.h>

struct told;

/* told_open reads what is there; lines that are none are passed over. NULL with
 * the reason in why. told_close accepts NULL and nulls. */
struct told *told_open(const char *dir, char *why, size_t size);
void told_close(struct told **told);

bool told_has(const struct told *told, const char *id);
void told_add(struct told *told, const char *id);

/* told_tidy forgets ids that are not live, once many were added since it last
 * did, and writes the file anew. */
void told_tidy(struct told *told, bool (*is_live)(void *ctx, const char *id),
               void *ctx);

#endif
