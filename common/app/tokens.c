/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON on disk: {"tokens":[{"name","user","role","created","hash"}]}. A hash
 * without salt and stretching will do, for a secret of 256 random bits cannot
 * be guessed.
 */
#include "common/app/tokens.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/app/clock.h"
#include "common/app/fields.h"
#include "common/app/private.h"
#include "common/mem.h"
#include "common/text.h"

#define PREFIX   "fq_"
#define FILE_MAX (LIMIT_TOKENS * 512)
#define HEX_SIZE (2 * TOKEN_HASH + 1)

static const char *const role_words[] = {
    [TOKEN_NONE] = "none",   [TOKEN_READ] = "read",
    [TOKEN_AGENT] = "agent", [TOKEN_SUBMIT] = "submit",
    [TOKEN_ADMIN] = "admin", NULL /* a list of choices ends so */
};

const char *token_role_word(enum token_role role)
{
    return role_words[role];
}

enum token_role token_role_find(const char *word)
{
    for (int role = TOKEN_READ; role <= TOKEN_ADMIN; role++)
        if (strcmp(word, role_words[role]) == 0)
            return (enum token_role)role;
    return TOKEN_NONE;
}

void token_hash(const char *secret, unsigned char ret[TOKEN_HASH])
{
    crypto_generichash(ret, TOKEN_HASH, (const unsigned char *)secret,
                       strlen(secret), NULL, 0);
}

void tokens_free(struct tokens *tokens)
{
    mem_free(tokens->at);
    *tokens = (struct tokens){0};
}

const struct token *tokens_named(const struct tokens *tokens, const char *name)
{
    for (size_t i = 0; i < tokens->n; i++)
        if (strcmp(tokens->at[i].name, name) == 0)
            return &tokens->at[i];
    return NULL;
}

static struct token *tokens_add(struct tokens *tokens)
{
    tokens->at = mem_grow(tokens->at, tokens->n + 1, sizeof *tokens->at);
    return memset(&tokens->at[tokens->n++], 0, sizeof *tokens->at);
}

bool tokens_remove(struct tokens *tokens, const char *name)
{
    const struct token *token = tokens_named(tokens, name);
    if (token == NULL)
        return false;
    size_t i = (size_t)(token - tokens->at);
    memmove(&tokens->at[i], &tokens->at[i + 1],
            (--tokens->n - i) * sizeof *tokens->at);
    return true;
}

void token_text(const unsigned char bytes[TOKEN_BYTES], char ret[TOKEN_SECRET])
{
    memcpy(ret, PREFIX, sizeof PREFIX);
    sodium_bin2base64(ret + strlen(PREFIX), TOKEN_SECRET - strlen(PREFIX),
                      bytes, TOKEN_BYTES,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void tokens_make(struct tokens *tokens, const struct token *token,
                 char ret[TOKEN_SECRET])
{
    unsigned char bytes[TOKEN_BYTES];
    assert(tokens->n < LIMIT_TOKENS && !tokens_named(tokens, token->name));
    randombytes_buf(bytes, sizeof bytes);
    token_text(bytes, ret);
    struct token *made = tokens_add(tokens);
    *made = *token;
    (void)clock_text(clock_wall_ms(), made->created);
    token_hash(ret, made->hash);
}

const struct token *tokens_find(const struct tokens *tokens, const char *secret)
{
    unsigned char hash[TOKEN_HASH];
    const struct token *found = NULL;
    token_hash(secret, hash);
    for (size_t i = 0; i < tokens->n; i++)
        if (sodium_memcmp(hash, tokens->at[i].hash, TOKEN_HASH) == 0)
            found = &tokens->at[i];
    return found;
}

/* --- The file. --- */

static bool refuse(char *why, size_t size, const char *path, const char *reason)
{
    snprintf(why, size, "%s: %s", path, reason);
    return false;
}

static bool check_name(const json_t *v, const void *unused, char *why,
                       size_t size)
{
    static const size_t most = LIMIT_AGENT;
    (void)unused;
    if (!field_text(v, &most, why, size))
        return false;
    for (const char *c = json_string_value(v); *c != '\0'; c++)
        if (!text_is_name_char(*c))
            return field_refuse(why, size, "must be of A-Z a-z 0-9 . _ -");
    return true;
}

bool token_field_hash(const json_t *v, const void *unused, char *why,
                      size_t size)
{
    unsigned char hash[TOKEN_HASH];
    const char *text = json_string_value(v);
    (void)unused;
    return (text != NULL && strlen(text) == HEX_SIZE - 1 &&
            sodium_hex2bin(hash, sizeof hash, text, HEX_SIZE - 1, NULL, NULL,
                           NULL) == 0) ||
           field_refuse(why, size, "must be %d hexadecimal digits",
                        HEX_SIZE - 1);
}

static const size_t user_max = LIMIT_NAME;
static const size_t created_max = sizeof((struct token *)NULL)->created - 1;

static const struct field fields[] = {
    {"name", check_name, NULL},
    {"user", field_text, &user_max},
    {"role", field_choice, &role_words[TOKEN_READ]},
    {"created", field_text, &created_max},
    {"hash", token_field_hash, NULL},
    {0},
};

static bool read_token(struct tokens *tokens, const json_t *item, char *why,
                       size_t size)
{
    static const struct field *const tables[] = {fields, NULL};
    if (!fields_check(item, tables, why, size))
        return false;
    if (json_object_size(item) != sizeof fields / sizeof *fields - 1)
        return field_refuse(why, size, "a token lacks a field");
    if (tokens->n == LIMIT_TOKENS)
        return field_refuse(why, size, "more than %d tokens", LIMIT_TOKENS);
    if (tokens_named(tokens, fields_text(item, "name")))
        return field_refuse(why, size, "two tokens are named %s",
                            fields_text(item, "name"));
    struct token *token = tokens_add(tokens);
    snprintf(token->name, sizeof token->name, "%s", fields_text(item, "name"));
    snprintf(token->user, sizeof token->user, "%s", fields_text(item, "user"));
    snprintf(token->created, sizeof token->created, "%s",
             fields_text(item, "created"));
    token->role = token_role_find(fields_text(item, "role"));
    sodium_hex2bin(token->hash, TOKEN_HASH, fields_text(item, "hash"),
                   HEX_SIZE - 1, NULL, NULL, NULL);
    return true;
}

static bool read_list(struct tokens *tokens, const json_t *root, char *why,
                      size_t size)
{
    size_t i;
    json_t *item;
    const json_t *list = json_object_get(root, "tokens");
    if (!json_is_array(list) || json_object_size(root) != 1)
        return field_refuse(why, size, "not a file of tokens");
    json_array_foreach(list, i, item)
    {
        if (!json_is_object(item))
            return field_refuse(why, size, "a token is no object");
        if (!read_token(tokens, item, why, size))
            return false;
    }
    return true;
}

bool tokens_load(struct tokens *ret, const char *path, char *why, size_t size)
{
    char reason[512];
    struct tokens tokens = {0};
    json_t *root = private_read(path, FILE_MAX, reason, sizeof reason);
    bool ok = root != NULL && read_list(&tokens, root, reason, sizeof reason);
    json_decref(root);
    if (!ok) {
        tokens_free(&tokens);
        return refuse(why, size, path, reason);
    }
    tokens_free(ret);
    *ret = tokens;
    return true;
}

static json_t *token_json(const struct token *token)
{
    char hex[HEX_SIZE];
    sodium_bin2hex(hex, sizeof hex, token->hash, TOKEN_HASH);
    return json_pack("{s:s, s:s, s:s, s:s, s:s}", "name", token->name, "user",
                     token->user, "role", token_role_word(token->role),
                     "created", token->created, "hash", hex);
}

bool tokens_save(const struct tokens *tokens, const char *path, char *why,
                 size_t size)
{
    char reason[512];
    json_t *root = json_object(), *list = json_array();
    json_object_set_new(root, "tokens", list);
    for (size_t i = 0; i < tokens->n; i++)
        json_array_append_new(list, token_json(&tokens->at[i]));
    bool ok = private_write(path, root, reason, sizeof reason);
    json_decref(root);
    return ok || refuse(why, size, path, reason);
}
