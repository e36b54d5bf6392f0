/* SPDX-License-Identifier: Apache-2.0
 *
 * Posts webhooks, in a thread of its own: the loop gives posts and takes them
 * back with what came of them, and never waits. It follows no redirect, uses
 * no proxy, speaks http and https alone, asks the gate before it connects, and
 * reads no more of an answer than its status. Trying again is its caller's
 * business.
 */
#ifndef FRAMEQ_BROKER_HOOKS_HOOK_POST_H
#define FRAMEQ_BROKER_HOOKS_HOOK_POST_H

#include <stdint.h>

#include "broker/hooks/hook_gate.h"
#include "common/limits.h"

#define HOOK_ID_SIZE (LIMIT_ID + 32)
#define HOOK_SECRET  32 /* bytes */

struct hook_post {
    char id[HOOK_ID_SIZE]; /* webhook-id: the same however often it is sent */
    char *url, *body;      /* owned */
    int64_t wall_ms;       /* of webhook-timestamp */
    int status;            /* what was answered; 0: nothing, and why says why */
    char why[LIMIT_REASON];
    struct hook_post *prev, *next;
};

struct hook_poster;

/* hook_poster_open starts the thread. The gate is borrowed; the secret signs:
 * HMAC-SHA256 over "<id>.<timestamp>.<body>", as Standard Webhooks has it. */
struct hook_poster *hook_poster_open(const struct hook_gate *gate,
                                     const unsigned char secret[HOOK_SECRET]);

/* hook_poster_send takes a post. hook_poster_take returns one that is over,
 * owned by the caller (hook_post_free), or NULL. */
void hook_poster_send(struct hook_poster *poster, struct hook_post *post);
struct hook_post *hook_poster_take(struct hook_poster *poster);
void hook_post_free(struct hook_post *post);

/* hook_poster_close ends what is under way, whose other end may have it or not.
 * Accepts NULL and nulls. */
void hook_poster_close(struct hook_poster **poster);

/* hook_sign writes the webhook-signature of a body. */
#define HOOK_SIGNATURE_SIZE 64
void hook_sign(const unsigned char secret[HOOK_SECRET], const char *id,
               int64_t seconds, const char *body,
               char ret[HOOK_SIGNATURE_SIZE]);

#endif
