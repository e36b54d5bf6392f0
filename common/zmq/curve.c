/* SPDX-License-Identifier: Apache-2.0
 *
 * What libzmq calls to decrypt a part, in place of libsodium's: the same, but
 * that the parts of a message are counted. Whether more follow is encrypted, so
 * that recv.c cannot see it; what is wrong with the part of a message that is
 * too large is, to libzmq, that it cannot be decrypted, and it ends the
 * connection. Refuses to do anything else with what it sees.
 */
#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "common/table.h"
#include "common/zmq/guard.h"
#include "common/zmtp.h"

#define PART_MORE    1
#define PART_COMMAND 2

/* Enough to tell one key from another; no use to who reads it. */
#define KEY_TASTE 8

/* A connection, known by where libzmq keeps its key. There are as many as there
 * were at once: the next one that has its key at the same place takes over. */
struct sealed {
    const unsigned char *key;
    unsigned char taste[KEY_TASTE];
    struct zmtp_message message;
    UT_hash_handle hh;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sealed *all; /* by key */

static struct sealed *sealed_of(const unsigned char *key)
{
    struct sealed *sealed = NULL;
    HASH_FIND_PTR(all, &key, sealed);
    if (sealed != NULL && memcmp(sealed->taste, key, KEY_TASTE) == 0)
        return sealed;
    if (sealed == NULL) {
        sealed = mem_new(sizeof *sealed);
        sealed->key = key;
        HASH_ADD_PTR(all, key, sealed);
    }
    memcpy(sealed->taste, key, KEY_TASTE);
    sealed->message = (struct zmtp_message){0};
    return sealed;
}

/* part: its flags, then its bytes. */
static bool count(const unsigned char *key, const unsigned char *part,
                  size_t len)
{
    bool more = part[0] & PART_MORE;
    if (part[0] & PART_COMMAND && !more)
        return true;
    pthread_mutex_lock(&lock);
    bool ok = zmtp_part(&sealed_of(key)->message, more, len - 1);
    pthread_mutex_unlock(&lock);
    return ok;
}

int crypto_box_open_easy_afternm(unsigned char *m, const unsigned char *c,
                                 unsigned long long clen,
                                 const unsigned char *n, const unsigned char *k)
{
    if (clen <= crypto_box_MACBYTES)
        return -1;
    unsigned long long len = clen - crypto_box_MACBYTES;
    if (crypto_box_open_detached_afternm(m, c + crypto_box_MACBYTES, c, len, n,
                                         k) != 0)
        return -1;
    if (count(k, m, (size_t)len))
        return 0;
    cut_told("");
    return -1;
}
