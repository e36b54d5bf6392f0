/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files blob*.c share; nobody else includes it. blobs.c is the loop's
 * side and the thread, blob_disk.c a file's way onto the disk, blob_store.c
 * what is known of a store's, blob_sweep.c the way off; all but the first run
 * in the thread alone.
 */
#ifndef FRAMEQ_BROKER_FILES_BLOBS_PARTS_H
#define FRAMEQ_BROKER_FILES_BLOBS_PARTS_H

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>

#include "broker/files/blobs.h"
#include "broker/files/s3.h"

#define BLOBS_PATH 4096

enum ask_kind { ASK_PUT, ASK_KEEP, ASK_CHECK, ASK_HASH, ASK_LOOK, ASK_SWEEP };

enum blob_place { BLOB_PART, BLOB_HERE, BLOB_OFFERED, BLOB_STORED };

struct blobs_ask {
    enum ask_kind kind;
    char name[BLOB_NAME + 1];
    char *bytes; /* owned: a piece, a manifest, a path, names; NULL: none */
    size_t n;    /* bytes; of a sweep: names */
    uint64_t offset, total;
    int64_t keep_ms;
    blobs_done *done; /* NULL: nobody wants the answer */
    void *ctx;
    struct blobs_answer answer;
    struct blobs_ask *prev, *next;
};

/* An upload that goes on: the hash of what is in. */
#define UPLOADS 64
struct upload {
    char name[BLOB_NAME + 1]; /* "": a free place */
    crypto_hash_sha256_state state;
    uint64_t hashed; /* bytes */
    uint64_t used;   /* when, in turns of the thread */
};

struct blobs {
    char *dir;
    struct blobs_options options;
    int event_fd;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards the next five */
    pthread_cond_t wake;
    struct blobs_ask *waiting, *ready;
    size_t n_waiting;
    bool stop;
    struct blobs_ask *working; /* what the thread has in hand */

    /* The thread's own, but for these counts, which the loop may read. */
    _Atomic uint64_t bytes; /* of all files, partial ones too */
    _Atomic size_t files;
    struct upload uploads[UPLOADS];
    uint64_t turn;
};

/* Paths of a blob and of its partial file, into BLOBS_PATH bytes. */
void blob_path(const struct blobs *blobs, const char *name, char *ret);
void blob_part_path(const struct blobs *blobs, const char *name, char *ret);

/* Path of what stands for a blob that is offered to or lies in the store. */
void blob_mark_path(const struct blobs *blobs, enum blob_place place,
                    const char *name, char *ret);

/* blob_is_stored tells whether it was seen in the store, and how large. */
bool blob_is_stored(const struct blobs *blobs, const char *name,
                    uint64_t *ret_size);

/* blob_has_room tells whether `more` bytes may come on top of what there is;
 * else it fills the ask's answer. */
bool blob_has_room(const struct blobs *blobs, struct blobs_ask *ask,
                   uint64_t more);

/* Each fills the ask's answer. */
void blob_put(struct blobs *blobs, struct blobs_ask *ask);
void blob_keep(struct blobs *blobs, struct blobs_ask *ask);
void blob_check(struct blobs *blobs, struct blobs_ask *ask);
void blob_hash(struct blobs *blobs, struct blobs_ask *ask);
void blob_look(struct blobs *blobs, struct blobs_ask *ask);
void blob_sweep(struct blobs *blobs, struct blobs_ask *ask);

/* blobs_goes_on tells whether the thread has not been told to end. */
bool blobs_goes_on(struct blobs *blobs);

/* blob_count counts what is there, at the start. */
void blob_count(struct blobs *blobs);

/* blob_load reads a blob of at most LIMIT_BODY bytes; owned, NULL: it is not
 * there. */
char *blob_load(const struct blobs *blobs, const char *name, size_t *ret_len);

#endif
