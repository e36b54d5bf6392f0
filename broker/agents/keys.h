/* SPDX-License-Identifier: Apache-2.0
 *
 * Who may speak to the farm over ZeroMQ: the broker's own key and those of the
 * agents, in memory and in a file only the broker's user may read, DATA/keys.
 * An agent's secret key is in its join string and nowhere else. Watchers of the
 * feed share a key that is never on disk: whoever may look at the farm by HTTP
 * is told it, and it is another one whenever somebody may no longer.
 */
#ifndef FRAMEQ_BROKER_AGENTS_KEYS_H
#define FRAMEQ_BROKER_AGENTS_KEYS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/join.h"
#include "common/app/tokens.h"
#include "common/rc.h"
#include "common/table.h"

struct keys;

/* Addresses that a key was used from; past KEY_PLACES it counts as everywhere.
 */
#define KEY_PLACES  4
#define KEY_ADDRESS 64

struct places {
    char at[KEY_PLACES][KEY_ADDRESS];
    size_t n; /* KEY_PLACES + 1: everywhere */
};

/* The key of one agent. */
struct key {
    char public[CURVE_KEY_SIZE];
    struct token token; /* its name, and what it is by HTTP */
    struct places places;
    UT_hash_handle by_name, by_public, by_hash;
};

/* keys_open reads DIR/keys; where there is none it makes a key of the broker's
 * own and writes it. NULL with the reason in why. */
struct keys *keys_open(const char *dir, char *why, size_t size);
void keys_close(struct keys **keys);

/* The broker's own key. Borrowed. */
const char *keys_server_public(const struct keys *keys);
const char *keys_server_secret(const struct keys *keys);

/* A change is made in memory, then the file is to be written (keys_file to
 * keys_path, by private_write), then keys_end says whether that went well: one
 * change at a time.
 *
 * keys_add makes a key for an agent (join_is_name) and fills the secret.
 * RC_CONFLICT when it has one, RC_TOO_MANY past LIMIT_AGENTS; the reason is in
 * why. */
enum rc keys_add(struct keys *keys, const char *name,
                 char ret_secret[CURVE_KEY_SIZE], char *why, size_t size);

/* keys_remove takes an agent's key away; from now on it is unknown.
 * RC_NOT_FOUND as above. */
enum rc keys_remove(struct keys *keys, const char *name, char *why,
                    size_t size);

/* keys_file returns what the file is to hold, owned. keys_end ends a change:
 * once it is written keys_cut tells of a key that was taken away; else all is
 * as it was before. */
json_t *keys_file(const struct keys *keys);
const char *keys_path(const struct keys *keys);
void keys_end(struct keys *keys, bool written);

/* keys_find returns the key of an agent by its public key, or NULL; keys_named
 * by its name. keys_token returns the token of an agent's HTTP secret, or NULL.
 * Borrowed until the next change. */
struct key *keys_find(const struct keys *keys, const char *public);
const struct key *keys_named(const struct keys *keys, const char *name);
const struct token *keys_token(const struct keys *keys, const char *secret);

/* The watchers' key. keys_renew_watch makes another one; keys_cut tells who is
 * to be cut off for it. */
const char *keys_watch_public(const struct keys *keys);
const char *keys_watch_secret(const struct keys *keys);
void keys_renew_watch(struct keys *keys);

/* keys_seen notes that a key was let in from an address: an agent's, or the
 * watchers' (key NULL). */
void keys_seen(struct keys *keys, struct key *key, const char *address);

/* A key that was taken back, and from where it was used. Connections that were
 * made with it are still open. */
struct cut {
    char agent[LIMIT_AGENT + 1]; /* "": the watchers */
    struct places places;
};

/* keys_cut takes the next one; false when there is none. */
bool keys_cut(struct keys *keys, struct cut *ret);

#endif
