/* SPDX-License-Identifier: Apache-2.0
 *
 * Uploaded files, kept under DIR by the SHA-256 of their bytes. What writes,
 * hashes and syncs runs in a thread of its own, in the order it was asked for;
 * the loop never waits for the disk. A file is there whole and right, under its
 * name, or not at all; what has come of one that is not whole stays, so that
 * its sender can go on. No path comes from outside: names are 64 hex digits.
 *
 * With a store (s3.h) uploaded files lie there, and go there and come from
 * there without passing through here; lists of them are still kept here.
 */
#ifndef FRAMEQ_BROKER_FILES_BLOBS_H
#define FRAMEQ_BROKER_FILES_BLOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/manifest.h"

struct blobs;
struct s3;

enum blobs_result {
    BLOBS_TAKEN,     /* a piece is in; offset: where the next begins */
    BLOBS_WHOLE,     /* the blob is there and on disk; manifest: all of it is */
    BLOBS_ELSEWHERE, /* the piece does not begin at offset, where it must */
    BLOBS_WRONG,     /* its bytes have another hash: it was dropped; why */
    BLOBS_MISSING,   /* it is not there; manifest: why names the first that
                        is not */
    BLOBS_FULL,      /* no room; why */
    BLOBS_FAILED,    /* the disk; why */
    BLOBS_AWAY       /* the store does not answer as it should; why */
};

struct blobs_answer {
    enum blobs_result result;
    uint64_t offset;
    uint64_t missing;         /* files of a manifest */
    char name[BLOB_NAME + 1]; /* of blobs_hash: what was read */
    char why[512];
};

typedef void blobs_done(void *ctx, const struct blobs_answer *answer);

struct blobs_options {
    const char *dir;    /* made where it is missing; copied */
    uint64_t bytes_max; /* of all together; past it nothing is taken, and what
                           no live job names goes */
    size_t files_max;
    struct s3 *s3; /* where files are; borrowed. NULL: below dir */
};

/* blobs_open starts the thread. Returns NULL with the reason in why.
 * blobs_close ends it after the piece in hand; what waits is not answered. */
struct blobs *blobs_open(const struct blobs_options *options, char *why,
                         size_t size);
void blobs_close(struct blobs **blobs);

/* blobs_fd becomes readable when blobs_run has answers, which it gives by
 * calling each done. */
int blobs_fd(const struct blobs *blobs);
void blobs_run(struct blobs *blobs);

/* blobs_put appends n bytes (copied, at most LIMIT_BODY) at offset to the blob
 * name, which has `total` in the end; done with BLOBS_TAKEN, WHOLE, ELSEWHERE,
 * WRONG, FULL or FAILED. Returns false when LIMIT_PUTS wait already. */
struct blobs_piece {
    const char *name; /* blob_is_name */
    const void *bytes;
    size_t n;
    uint64_t offset, total;
};
bool blobs_put(struct blobs *blobs, const struct blobs_piece *piece,
               blobs_done *done, void *ctx);

/* blobs_keep sees that every file of a manifest is there in its size, and makes
 * the manifest (len bytes of text, whose hash is name; copied) a blob as well;
 * done with WHOLE, MISSING, FULL or FAILED. text NULL: the manifest is one
 * already. Nothing of it goes within LIMIT_BLOB_FRESH_MS. */
bool blobs_keep(struct blobs *blobs, const char *name, const char *text,
                size_t len, blobs_done *done, void *ctx);

/* blobs_check reads a blob from its first byte to its last and drops it where
 * the disk has lost what it had, so that whoever needs it sends it anew; done
 * with WHOLE, WRONG or MISSING, FAILED when the broker is about to end. What
 * else is asked waits so long. */
bool blobs_check(struct blobs *blobs, const char *name, blobs_done *done,
                 void *ctx);

/* blobs_hash reads a file that is none of these, at path (copied), for the name
 * it would have; done with WHOLE, or FAILED: it cannot be read, or is no file
 * of at most LIMIT_BLOB bytes. */
bool blobs_hash(struct blobs *blobs, const char *path, blobs_done *done,
                void *ctx);

/* blobs_look asks the store for a blob; done with WHOLE (offset: its size),
 * MISSING or AWAY. total: somebody is about to put one of so many bytes there,
 * if it is missing and there is room; done with FULL where there is none.
 * BLOBS_NO_TOTAL: nobody is. */
#define BLOBS_NO_TOTAL UINT64_MAX
bool blobs_look(struct blobs *blobs, const char *name, uint64_t total,
                blobs_done *done, void *ctx);

/* blobs_s3 returns the store, NULL: none. blobs_open_stored returns a
 * descriptor of as many bytes as a blob has that is known to lie there, all of
 * them zero; -1: none is known. It counts as asked for. */
const struct s3 *blobs_s3(const struct blobs *blobs);
int blobs_open_stored(struct blobs *blobs, const char *name,
                      uint64_t *ret_size);

/* blobs_forget: ctx is not to be called any more. */
void blobs_forget(struct blobs *blobs, void *ctx);

/* blobs_open_file returns a descriptor of a blob, its size in *ret_size; or -1,
 * with what has come of it so far in *ret_size. It counts as asked for. */
int blobs_open_file(struct blobs *blobs, const char *name, uint64_t *ret_size);

/* blobs_sweep drops what nobody needs: partial files without news for
 * LIMIT_BLOB_PART_MS; files that none of the n manifests names and nobody has
 * asked for in keep_ms (0: for ever), or sooner, oldest first, while there are
 * more than the options allow. names: n texts of BLOB_NAME + 1 bytes, one after
 * the other, owned by it from here on (mem_free). */
void blobs_sweep(struct blobs *blobs, char *names, size_t n, int64_t keep_ms);

/* blobs_any tells whether a sweep could find anything. */
bool blobs_any(const struct blobs *blobs);

#endif
