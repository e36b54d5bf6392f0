/* SPDX-License-Identifier: Apache-2.0
 *
 * Who is let in: the farm's tokens, read again within a second of their file
 * changing, and what each role may do. A farm without tokens lets everybody do
 * everything; it is on loopback, or its owner has said --insecure.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_GUARD_H
#define FRAMEQ_BROKER_PEOPLE_GUARD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "broker/people/session.h"
#include "common/app/tokens.h"

struct call;

struct guard {
    const char *path; /* borrowed; NULL: a farm without tokens */
    struct tokens tokens;
    struct stat seen; /* the file that tokens are of */
    unsigned char session_key[SESSION_KEY];
    int64_t look_ms; /* when to look at the file again */
};

/* guard_open reads path (NULL: none) and, in dir, the key of sessions. Returns
 * false with the reason in why. */
bool guard_open(struct guard *guard, const char *path, const char *dir,
                char *why, size_t size);
void guard_close(struct guard *guard);

/* guard_look reads the file again where it has changed; one that cannot be
 * read leaves the tokens as they are, and says so in the log. Returns whether
 * there are others now. */
bool guard_look(struct guard *guard, int64_t now_ms);

/* guard_admits finds out whose request it is (call->token, good while its
 * handler runs), by its token or else by its session (call->ends_ms), and
 * whether its role takes it in; or answers 401 or 403 and returns false. */
bool guard_admits(struct call *call);

#endif
