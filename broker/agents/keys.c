/* SPDX-License-Identifier: Apache-2.0
 *
 * JSON on disk: {"server":SECRET,
 * "agents":[{"name","public","hash","created"}]} with keys as Z85. All of it is
 * in memory too: asked for with every handshake and every STATE.
 */
#include "broker/agents/keys.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "common/app/clock.h"
#include "common/app/fields.h"
#include "common/app/private.h"
#include "common/buf.h"
#include "common/mem.h"

#define FILE_MAX (LIMIT_AGENTS * 512)
#define HEX_SIZE (2 * TOKEN_HASH + 1)

struct queued_cut {
    struct cut cut;
    struct queued_cut *prev, *next;
};

struct keys {
    char *path;
    char server_public[CURVE_KEY_SIZE], server_secret[CURVE_KEY_SIZE];
    char watch_public[CURVE_KEY_SIZE], watch_secret[CURVE_KEY_SIZE];
    struct places watchers;
    struct key *by_name, *by_public, *by_hash;
    struct queued_cut *cuts;
    struct key *changed; /* by the change that is not over; NULL: none is */
    bool removes;
};

/* --- The table. --- */

static void key_link(struct keys *keys, struct key *key)
{
    HASH_ADD(by_name, keys->by_name, token.name, strlen(key->token.name), key);
    HASH_ADD(by_public, keys->by_public, public, CURVE_KEY_SIZE - 1, key);
    HASH_ADD(by_hash, keys->by_hash, token.hash, TOKEN_HASH, key);
}

static void key_unlink(struct keys *keys, struct key *key)
{
    HASH_DELETE(by_name, keys->by_name, key);
    HASH_DELETE(by_public, keys->by_public, key);
    HASH_DELETE(by_hash, keys->by_hash, key);
}

struct key *keys_find(const struct keys *keys, const char *public)
{
    struct key *key = NULL;
    if (strlen(public) == CURVE_KEY_SIZE - 1)
        HASH_FIND(by_public, keys->by_public, public, CURVE_KEY_SIZE - 1, key);
    return key;
}

static struct key *find_named(const struct keys *keys, const char *name)
{
    struct key *key = NULL;
    HASH_FIND(by_name, keys->by_name, name, strlen(name), key);
    return key;
}

const struct key *keys_named(const struct keys *keys, const char *name)
{
    return find_named(keys, name);
}

const struct token *keys_token(const struct keys *keys, const char *secret)
{
    unsigned char hash[TOKEN_HASH];
    const struct key *key = NULL;
    token_hash(secret, hash);
    HASH_FIND(by_hash, keys->by_hash, hash, TOKEN_HASH, key);
    return key == NULL ? NULL : &key->token;
}

/* --- The file. --- */

static bool check_key(const json_t *v, const void *unused, char *why,
                      size_t size)
{
    static const size_t most = CURVE_KEY_SIZE - 1;
    unsigned char bytes[32];
    (void)unused;
    return (field_text(v, &most, why, size) && json_string_length(v) == most &&
            zmq_z85_decode(bytes, json_string_value(v)) != NULL) ||
           field_refuse(why, size, "must be a key of 40 characters");
}

static bool check_name(const json_t *v, const void *unused, char *why,
                       size_t size)
{
    const char *text = json_string_value(v);
    const char *reason = text == NULL ? "must be a text" : join_is_name(text);
    (void)unused;
    return reason == NULL || field_refuse(why, size, "%s", reason);
}

static const size_t created_max = sizeof((struct token *)NULL)->created - 1;

static const struct field fields[] = {
    {"name", check_name, NULL},
    {"public", check_key, NULL},
    {"hash", token_field_hash, NULL},
    {"created", field_text, &created_max},
    {0},
};

static struct key *key_new(const char *name, const char *public)
{
    struct key *key = mem_new(sizeof *key);
    snprintf(key->public, sizeof key->public, "%s", public);
    snprintf(key->token.name, sizeof key->token.name, "%s", name);
    snprintf(key->token.user, sizeof key->token.user, "%s", name);
    key->token.role = TOKEN_AGENT;
    return key;
}

static bool read_agent(struct keys *keys, const json_t *item, char *why,
                       size_t size)
{
    static const struct field *const tables[] = {fields, NULL};
    if (!json_is_object(item) || !fields_check(item, tables, why, size) ||
        json_object_size(item) != sizeof fields / sizeof *fields - 1)
        return field_refuse(why, size, "no file of keys");
    if (HASH_CNT(by_name, keys->by_name) == LIMIT_AGENTS)
        return field_refuse(why, size, "more than %d agents", LIMIT_AGENTS);
    if (keys_named(keys, fields_text(item, "name")) ||
        keys_find(keys, fields_text(item, "public")))
        return field_refuse(why, size, "two keys for %s",
                            fields_text(item, "name"));
    struct key *key =
        key_new(fields_text(item, "name"), fields_text(item, "public"));
    sodium_hex2bin(key->token.hash, TOKEN_HASH, fields_text(item, "hash"),
                   HEX_SIZE - 1, NULL, NULL, NULL);
    snprintf(key->token.created, sizeof key->token.created, "%s",
             fields_text(item, "created"));
    key_link(keys, key);
    return true;
}

static bool read_all(struct keys *keys, const json_t *root, char *why,
                     size_t size)
{
    size_t i;
    json_t *item;
    const json_t *list = json_object_get(root, "agents");
    const json_t *server = json_object_get(root, "server");
    if (json_object_size(root) != 2 || !json_is_array(list))
        return field_refuse(why, size, "no file of keys");
    if (!check_key(server, NULL, why, size))
        return false;
    memcpy(keys->server_secret, json_string_value(server), CURVE_KEY_SIZE);
    zmq_curve_public(keys->server_public, keys->server_secret);
    json_array_foreach(
        list, i, item) if (!read_agent(keys, item, why, size)) return false;
    return true;
}

static json_t *key_json(const struct key *key)
{
    char hex[HEX_SIZE];
    sodium_bin2hex(hex, sizeof hex, key->token.hash, TOKEN_HASH);
    return json_pack("{s:s, s:s, s:s, s:s}", "name", key->token.name, "public",
                     key->public, "hash", hex, "created", key->token.created);
}

json_t *keys_file(const struct keys *keys)
{
    const struct key *key;
    json_t *root = json_object(), *list = json_array();
    json_object_set_new(root, "server", json_string(keys->server_secret));
    json_object_set_new(root, "agents", list);
    for (key = keys->by_name; key != NULL; key = key->by_name.next)
        json_array_append_new(list, key_json(key));
    return root;
}

const char *keys_path(const struct keys *keys)
{
    return keys->path;
}

static bool keys_save(const struct keys *keys, char *why, size_t size)
{
    char reason[512];
    json_t *root = keys_file(keys);
    bool ok = private_write(keys->path, root, reason, sizeof reason);
    json_decref(root);
    return ok || field_refuse(why, size, "%s: %s", keys->path, reason);
}

static bool keys_load(struct keys *keys, char *why, size_t size)
{
    char reason[512];
    if (access(keys->path, F_OK) != 0 && errno == ENOENT) {
        zmq_curve_keypair(keys->server_public, keys->server_secret);
        return keys_save(keys, why, size);
    }
    json_t *root = private_read(keys->path, FILE_MAX, reason, sizeof reason);
    bool ok = root != NULL && read_all(keys, root, reason, sizeof reason);
    json_decref(root);
    return ok || field_refuse(why, size, "%s: %s", keys->path, reason);
}

/* --- From outside. --- */

struct keys *keys_open(const char *dir, char *why, size_t size)
{
    struct buf path;
    struct keys *keys = mem_new(sizeof *keys);
    buf_init(&path, LIMIT_PATH + 8);
    buf_print(&path, "%s/keys", dir);
    keys->path = buf_take(&path);
    zmq_curve_keypair(keys->watch_public, keys->watch_secret);
    if (!keys_load(keys, why, size))
        keys_close(&keys);
    return keys;
}

void keys_close(struct keys **keys_ref)
{
    struct keys *keys = *keys_ref;
    struct queued_cut *cut, *next;
    if (keys == NULL)
        return;
    while (keys->by_name != NULL) {
        struct key *key = keys->by_name;
        key_unlink(keys, key);
        mem_free(key);
    }
    if (keys->removes)
        mem_free(keys->changed);
    DL_FOREACH_SAFE (keys->cuts, cut, next)
        mem_free(cut);
    sodium_memzero(keys->server_secret, sizeof keys->server_secret);
    mem_free(keys->path);
    mem_free(keys);
    *keys_ref = NULL;
}

const char *keys_server_public(const struct keys *keys)
{
    return keys->server_public;
}

const char *keys_server_secret(const struct keys *keys)
{
    return keys->server_secret;
}

const char *keys_watch_public(const struct keys *keys)
{
    return keys->watch_public;
}

const char *keys_watch_secret(const struct keys *keys)
{
    return keys->watch_secret;
}

enum rc keys_add(struct keys *keys, const char *name,
                 char ret_secret[CURVE_KEY_SIZE], char *why, size_t size)
{
    char public[CURVE_KEY_SIZE], token[TOKEN_SECRET];
    assert(keys->changed == NULL);
    if (keys_named(keys, name)) {
        field_refuse(why, size,
                     "agent %s has a key; remove it first (`frameq agents "
                     "remove %s`), or give another name",
                     name, name);
        return RC_CONFLICT;
    }
    if (HASH_CNT(by_name, keys->by_name) >= LIMIT_AGENTS) {
        field_refuse(why, size, "%d agents have keys; remove some first",
                     LIMIT_AGENTS);
        return RC_TOO_MANY;
    }
    zmq_curve_keypair(public, ret_secret);
    struct key *key = key_new(name, public);
    join_token(ret_secret, token);
    token_hash(token, key->token.hash);
    (void)clock_text(clock_wall_ms(), key->token.created);
    key_link(keys, key);
    keys->changed = key;
    keys->removes = false;
    return RC_OK;
}

static void cut_later(struct keys *keys, const char *agent,
                      const struct places *places)
{
    struct queued_cut *cut = mem_new(sizeof *cut);
    snprintf(cut->cut.agent, sizeof cut->cut.agent, "%s", agent);
    cut->cut.places = *places;
    DL_APPEND(keys->cuts, cut);
}

/* Who may no longer look by HTTP shall not be able to look by ZeroMQ. */
void keys_renew_watch(struct keys *keys)
{
    zmq_curve_keypair(keys->watch_public, keys->watch_secret);
    cut_later(keys, "", &keys->watchers);
    keys->watchers = (struct places){0};
}

enum rc keys_remove(struct keys *keys, const char *name, char *why, size_t size)
{
    struct key *key = find_named(keys, name);
    assert(keys->changed == NULL);
    if (key == NULL) {
        field_refuse(why, size, "there is no key for an agent %s", name);
        return RC_NOT_FOUND;
    }
    key_unlink(keys, key);
    keys->changed = key;
    keys->removes = true;
    return RC_OK;
}

static void key_over(struct keys *keys, struct key *key)
{
    cut_later(keys, key->token.name, &key->places);
    keys_renew_watch(keys);
}

void keys_end(struct keys *keys, bool written)
{
    struct key *key = keys->changed;
    assert(key != NULL);
    keys->changed = NULL;
    if (keys->removes && written)
        key_over(keys, key);
    else if (keys->removes)
        key_link(keys, key);
    else if (!written)
        key_unlink(keys, key);
    if (keys->removes == written)
        mem_free(key);
}

static bool is_noted(const struct places *places, const char *address)
{
    for (size_t i = 0; i < places->n && i < KEY_PLACES; i++)
        if (strcmp(places->at[i], address) == 0)
            return true;
    return false;
}

void keys_seen(struct keys *keys, struct key *key, const char *address)
{
    struct places *places = key == NULL ? &keys->watchers : &key->places;
    if (places->n > KEY_PLACES || is_noted(places, address))
        return;
    if (places->n < KEY_PLACES)
        snprintf(places->at[places->n], KEY_ADDRESS, "%s", address);
    places->n++;
}

bool keys_cut(struct keys *keys, struct cut *ret)
{
    struct queued_cut *first = keys->cuts;
    if (first == NULL)
        return false;
    *ret = first->cut;
    DL_DELETE(keys->cuts, first);
    mem_free(first);
    return true;
}
