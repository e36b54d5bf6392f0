/* SPDX-License-Identifier: Apache-2.0
 *
 * A value is NAME.END.SIGNATURE: the token's name, milliseconds since 1970 in
 * digits, and base64url of the keyed BLAKE2b of both and of the token's hash.
 * With the hash under it, a new token of an old name has no old sessions. Who
 * reads the file of tokens cannot make one: that takes the key.
 */
#include "broker/people/session.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/app/private.h"

#define FILE_MAX  4096
#define PATH_SIZE 4096
#define HEX_SIZE  (2 * SESSION_KEY + 1)
#define SIGN      32 /* bytes of a signature */
#define SIGN_TEXT 44

static bool key_write(const char *path, unsigned char ret[SESSION_KEY],
                      char *why, size_t size)
{
    char hex[HEX_SIZE];
    randombytes_buf(ret, SESSION_KEY);
    sodium_bin2hex(hex, sizeof hex, ret, SESSION_KEY);
    json_t *root = json_pack("{s:s}", "key", hex);
    bool ok = private_write(path, root, why, size);
    json_decref(root);
    return ok;
}

static bool key_read(const char *path, unsigned char ret[SESSION_KEY],
                     char *why, size_t size)
{
    size_t n = 0;
    json_t *root = private_read(path, FILE_MAX, why, size);
    if (!root)
        return false;
    const char *hex = json_string_value(json_object_get(root, "key"));
    bool ok = hex &&
              sodium_hex2bin(ret, SESSION_KEY, hex, strlen(hex), NULL, &n,
                             NULL) == 0 &&
              n == SESSION_KEY;
    if (!ok)
        snprintf(why, size, "its `key` is not %d bytes in hexadecimal digits",
                 SESSION_KEY);
    json_decref(root);
    return ok;
}

bool session_key_open(const char *dir, unsigned char ret[SESSION_KEY],
                      char *why, size_t size)
{
    char path[PATH_SIZE], reason[LIMIT_REASON];
    snprintf(path, sizeof path, "%s/sessions.key", dir);
    bool ok = access(path, F_OK) == 0
                  ? key_read(path, ret, reason, sizeof reason)
                  : key_write(path, ret, reason, sizeof reason);
    if (!ok)
        snprintf(why, size, "the sessions' key %s: %s", path, reason);
    return ok;
}

static void sign(const unsigned char key[SESSION_KEY],
                 const struct token *token, int64_t ends_ms,
                 char ret[SIGN_TEXT])
{
    unsigned char bytes[SIGN];
    char end[24];
    crypto_generichash_state state;
    int n = snprintf(end, sizeof end, ".%" PRId64 ".", ends_ms);
    crypto_generichash_init(&state, key, SESSION_KEY, SIGN);
    crypto_generichash_update(&state, (const unsigned char *)token->name,
                              strlen(token->name));
    crypto_generichash_update(&state, (const unsigned char *)end, (size_t)n);
    crypto_generichash_update(&state, token->hash, TOKEN_HASH);
    crypto_generichash_final(&state, bytes, SIGN);
    sodium_bin2base64(ret, SIGN_TEXT, bytes, SIGN,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

void session_write(const unsigned char key[SESSION_KEY],
                   const struct token *token, int64_t ends_ms,
                   char ret[SESSION_TEXT])
{
    char signature[SIGN_TEXT];
    sign(key, token, ends_ms, signature);
    snprintf(ret, SESSION_TEXT, "%s.%" PRId64 ".%s", token->name, ends_ms,
             signature);
}

/* Splits NAME.END.SIGNATURE in place; a name may have dots in it. */
static bool split(char *value, int64_t *ret_ends_ms)
{
    char *rest, *dot = strrchr(value, '.');
    if (!dot)
        return false;
    *dot = '\0';
    dot = strrchr(value, '.');
    if (!dot)
        return false;
    *dot = '\0';
    *ret_ends_ms = strtoll(dot + 1, &rest, 10);
    return *rest == '\0';
}

const struct token *session_find(const unsigned char key[SESSION_KEY],
                                 const struct tokens *tokens, const char *value,
                                 int64_t now_ms, int64_t *ret_ends_ms)
{
    char copy[SESSION_TEXT], wanted[SESSION_TEXT];
    size_t len = strlen(value);
    if (len >= sizeof copy)
        return NULL;
    memcpy(copy, value, len + 1);
    if (!split(copy, ret_ends_ms) || *ret_ends_ms <= now_ms)
        return NULL;
    const struct token *token = tokens_named(tokens, copy);
    if (!token)
        return NULL;
    session_write(key, token, *ret_ends_ms, wanted);
    bool same = strlen(wanted) == len && sodium_memcmp(wanted, value, len) == 0;
    return same ? token : NULL;
}

char *session_name(int port, char ret[SESSION_NAME])
{
    snprintf(ret, SESSION_NAME, "frameq-session-%d", port);
    return ret;
}

bool session_cookie(const char *header, const char *name,
                    char ret[SESSION_TEXT])
{
    size_t len = strlen(name);
    for (const char *at = header; at && *at;) {
        at += strspn(at, "; \t");
        size_t n = strcspn(at, ";");
        if (n > len && n - len <= SESSION_TEXT && at[len] == '=' &&
            strncmp(at, name, len) == 0) {
            memcpy(ret, at + len + 1, n - len - 1);
            ret[n - len - 1] = '\0';
            return true;
        }
        at += n;
    }
    return false;
}
