/* SPDX-License-Identifier: Apache-2.0
 *
 * The join string: all that an agent needs to join a farm, in one word to be
 * pasted: where the broker is, the broker's public key, the agent's name and
 * secret key; and of a broker whose certificate nobody vouches for, by what to
 * know it. It is a secret. The agent's HTTP token follows from its key, so
 * that the string needs no place for one.
 */
#ifndef FRAMEQ_COMMON_APP_JOIN_H
#define FRAMEQ_COMMON_APP_JOIN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/app/tokens.h"
#include "common/limits.h"

#define JOIN_URL  256 /* bytes of the broker's address at most */
#define JOIN_SIZE 584 /* of a string with the longest name and address, NUL */
#define JOIN_PIN  32  /* bytes of a SHA-256 */

/* CURVE keys as libzmq takes them: Z85, 40 characters and NUL. */
#define CURVE_KEY_SIZE 41

struct join {
    char name[LIMIT_AGENT + 1];
    char broker[JOIN_URL + 1];
    char server[CURVE_KEY_SIZE]; /* the broker's public key */
    char secret[CURVE_KEY_SIZE]; /* the agent's own */
    bool pinned; /* the broker's certificate is known by its key alone: */
    unsigned char pin[JOIN_PIN]; /* SHA-256 of it, as RFC 7469 has it */
};

/* join_write makes the string. Name and broker have passed join_is_name and
 * conf_is_url, the broker is at most JOIN_URL bytes long (asserted). */
void join_write(const struct join *join, char ret[JOIN_SIZE]);

/* join_read reads one. Returns false with the reason in why, for people. */
bool join_read(const char *text, struct join *ret, char *why, size_t size);

/* join_token makes the agent's HTTP token of its secret key. */
void join_token(const char secret[CURVE_KEY_SIZE], char ret[TOKEN_SECRET]);

/* join_is_name tells whether an agent may be so named: [A-Za-z0-9._-]{1,64}.
 * Returns NULL, or why not, for people; static text. */
const char *join_is_name(const char *name);

/* conf_is_join is the check of a setting that takes a join string. */
const char *conf_is_join(const char *value);

#endif
