/* SPDX-License-Identifier: Apache-2.0
 *
 * "fqj_" and base64url, without padding, of: a version byte, both keys of 32
 * bytes, the certificate's pin of 32 bytes where the version is 2, the name's
 * length, the name, the address, 4 bytes of BLAKE2b of all before. The sum
 * finds a string that lost its end on the way, and mistyping; it proves
 * nothing.
 */
#include "common/app/join.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>
#include <zmq.h>

#include "common/app/conf.h"
#include "common/app/fields.h"
#include "common/text.h"

#define PREFIX    "fqj_"
#define VERSION   1
#define PINNED    2 /* likewise, with a pin */
#define KEY_BYTES 32
#define SUM_BYTES 4
#define KEYS      (1 + 2 * KEY_BYTES) /* up to the pin, if any */
#define BYTES_MAX (KEYS + JOIN_PIN + 1 + LIMIT_AGENT + JOIN_URL + SUM_BYTES)

static_assert(sodium_base64_ENCODED_LEN(
                  BYTES_MAX, sodium_base64_VARIANT_URLSAFE_NO_PADDING) +
                      sizeof PREFIX - 1 <=
                  JOIN_SIZE,
              "the longest string must fit");

const char *join_is_name(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < len; i++)
        if (!text_is_name_char(name[i]))
            return "may hold only letters, digits, '.', '_' and '-'";
    if (len < 1 || len > LIMIT_AGENT)
        return "must have 1 to 64 characters";
    return NULL;
}
static_assert(LIMIT_AGENT == 64, "the text above says so");

static void sum(const unsigned char *bytes, size_t len,
                unsigned char ret[SUM_BYTES])
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    crypto_generichash(hash, sizeof hash, bytes, len, NULL, 0);
    memcpy(ret, hash, SUM_BYTES);
}

void join_write(const struct join *join, char ret[JOIN_SIZE])
{
    unsigned char bytes[BYTES_MAX] = {join->pinned ? PINNED : VERSION};
    size_t name = strlen(join->name), url = strlen(join->broker);
    assert(join_is_name(join->name) == NULL && url <= JOIN_URL);
    zmq_z85_decode(bytes + 1, join->server);
    zmq_z85_decode(bytes + 1 + KEY_BYTES, join->secret);
    size_t len = KEYS;
    if (join->pinned)
        memcpy(bytes + len, join->pin, JOIN_PIN);
    len += join->pinned ? JOIN_PIN : 0;
    bytes[len++] = (unsigned char)name;
    memcpy(bytes + len, join->name, name);
    memcpy(bytes + len + name, join->broker, url);
    len += name + url;
    sum(bytes, len, bytes + len);
    memcpy(ret, PREFIX, sizeof PREFIX);
    sodium_bin2base64(ret + strlen(PREFIX), JOIN_SIZE - strlen(PREFIX), bytes,
                      len + SUM_BYTES,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
}

/* The bytes of text, sum taken off; 0 when they are none of a join string. */
static size_t decode(const char *text, unsigned char ret[BYTES_MAX])
{
    size_t len;
    unsigned char seen[SUM_BYTES];
    const char *end;
    if (strncmp(text, PREFIX, strlen(PREFIX)) != 0)
        return 0;
    text += strlen(PREFIX);
    if (sodium_base642bin(ret, BYTES_MAX, text, strlen(text), NULL, &len, &end,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        *end != '\0' || len <= KEYS + 1 + SUM_BYTES)
        return 0;
    len -= SUM_BYTES;
    sum(ret, len, seen);
    return memcmp(seen, ret + len, SUM_BYTES) == 0 ? len : 0;
}

static bool read_texts(const unsigned char *bytes, size_t len, struct join *ret)
{
    size_t at = KEYS + (ret->pinned ? JOIN_PIN : 0);
    size_t name = at < len ? bytes[at++] : 0;
    if (name == 0 || name > LIMIT_AGENT || at + name >= len ||
        len - at - name > JOIN_URL)
        return false;
    memcpy(ret->name, bytes + at, name);
    memcpy(ret->broker, bytes + at + name, len - at - name);
    return join_is_name(ret->name) == NULL && conf_is_url(ret->broker) == NULL;
}

bool join_read(const char *text, struct join *ret, char *why, size_t size)
{
    unsigned char bytes[BYTES_MAX];
    struct join join = {0};
    size_t len = decode(text, bytes);
    if (len == 0)
        return field_refuse(why, size,
                            "is no join string, or not all of one: paste all "
                            "that `frameq agents add` printed after --join");
    if (bytes[0] != VERSION && bytes[0] != PINNED)
        return field_refuse(why, size,
                            "is a join string of another version of frameq");
    join.pinned = bytes[0] == PINNED;
    if (!read_texts(bytes, len, &join))
        return field_refuse(why, size,
                            "is a join string with a wrong name or address");
    if (join.pinned)
        memcpy(join.pin, bytes + KEYS, JOIN_PIN);
    zmq_z85_encode(join.server, bytes + 1, KEY_BYTES);
    zmq_z85_encode(join.secret, bytes + 1 + KEY_BYTES, KEY_BYTES);
    sodium_memzero(bytes, sizeof bytes);
    *ret = join;
    return true;
}

void join_token(const char secret[CURVE_KEY_SIZE], char ret[TOKEN_SECRET])
{
    static const char use[] = "frameq agent http token 1";
    unsigned char key[KEY_BYTES], hash[TOKEN_BYTES];
    zmq_z85_decode(key, secret);
    crypto_generichash(hash, sizeof hash, (const unsigned char *)use,
                       sizeof use - 1, key, sizeof key);
    token_text(hash, ret);
    sodium_memzero(key, sizeof key);
}

const char *conf_is_join(const char *value)
{
    char why[160];
    struct join join;
    if (join_read(value, &join, why, sizeof why))
        return NULL;
    return conf_reason("%s", why);
}
