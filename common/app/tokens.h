/* SPDX-License-Identifier: Apache-2.0
 *
 * The tokens of a farm: who may do what over HTTP. A file only its owner may
 * read, which `frameq token` writes and the broker reads. A token is a secret
 * of 256 random bits that is shown once, when it is made; kept is its hash.
 * Whoever reads the file cannot sign in with what stands in it.
 */
#ifndef FRAMEQ_COMMON_APP_TOKENS_H
#define FRAMEQ_COMMON_APP_TOKENS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/limits.h"

/* Each may do all that the one before it may. */
enum token_role {
    TOKEN_NONE,   /* what anybody may */
    TOKEN_READ,   /* look at everything */
    TOKEN_AGENT,  /* look, and send rendered frames */
    TOKEN_SUBMIT, /* submit jobs, and steer those of its own user */
    TOKEN_ADMIN   /* steer every job and the agents */
};

#define TOKEN_HASH   32 /* bytes of BLAKE2b */
#define TOKEN_BYTES  32 /* random ones of a secret */
#define TOKEN_SECRET 47 /* "fq_", 43 characters of base64url, NUL */

struct token {
    char name[LIMIT_AGENT + 1]; /* [A-Za-z0-9._-], unique in the file */
    char user[LIMIT_NAME + 1];
    enum token_role role; /* never TOKEN_NONE */
    char created[32];     /* RFC 3339 */
    unsigned char hash[TOKEN_HASH];
};

/* A zeroed struct tokens is empty. */
struct tokens {
    struct token *at;
    size_t n;
};

/* tokens_load reads path into ret, in place of what it held. Returns false,
 * ret unchanged, with the reason in why: it cannot be read, others than its
 * owner may read it, it is too large, or no file of tokens. */
bool tokens_load(struct tokens *ret, const char *path, char *why, size_t size);

/* tokens_save writes path anew, mode 0600, whole or not at all. Returns false
 * with the reason in why. */
bool tokens_save(const struct tokens *tokens, const char *path, char *why,
                 size_t size);
void tokens_free(struct tokens *tokens);

/* tokens_make adds a token, at most LIMIT_TOKENS (asserted, as is that the
 * name is free); name, user and role are taken from token, the rest is made.
 * The secret is in ret and nowhere else. */
void tokens_make(struct tokens *tokens, const struct token *token,
                 char ret[TOKEN_SECRET]);

/* tokens_remove takes the token of that name out; false when there is none. */
bool tokens_remove(struct tokens *tokens, const char *name);

/* tokens_find returns the token of a secret, or NULL. It compares with all of
 * them, in constant time. */
const struct token *tokens_find(const struct tokens *tokens,
                                const char *secret);
const struct token *tokens_named(const struct tokens *tokens, const char *name);

/* token_text writes a secret of TOKEN_BYTES bytes; token_hash writes what is
 * kept of a secret. */
void token_text(const unsigned char bytes[TOKEN_BYTES], char ret[TOKEN_SECRET]);
void token_hash(const char *secret, unsigned char ret[TOKEN_HASH]);

/* token_field_hash checks what a file keeps of a secret, as fields.h wants it:
 * TOKEN_HASH bytes in hexadecimal digits. */
bool token_field_hash(const json_t *value, const void *unused, char *why,
                      size_t size);

/* token_role_find returns the role of a word, TOKEN_NONE for any other. */
const char *token_role_word(enum token_role role);
enum token_role token_role_find(const char *word);

#endif
