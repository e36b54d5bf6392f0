/* SPDX-License-Identifier: Apache-2.0
 *
 * Looks whether a rendered frame is there, and puts it in its place: in a
 * process of its own, so that neither a slow disk nor a hostile picture
 * touches the node's loop.
 *
 * A frame is there when every picture in its folder decodes whole, the main
 * ones are among them and of the expected size, and each File Output node left
 * what it should. Nothing takes its final name before all of them are proven.
 */
#ifndef FRAMEQ_NODE_PROOF_H
#define FRAMEQ_NODE_PROOF_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/buf.h"
#include "common/fault.h"

struct proof_order {
    const char *work;       /* folder of the frame; removed at the end */
    const char *target;     /* folder its files go under */
    const json_t *rendered; /* event: main[], outputs[{folder, files}] */
    int32_t width, height;  /* of the main pictures; 0: not known */
    bool replace;
};

struct proof_result {
    enum fault fault; /* FAULT_NONE: it is there and in its place */
    char *text;       /* the reason; NULL without one */
    json_t *files;    /* [{path, bytes, sha256, kept}], the main one first */
    unsigned char *thumb;
    size_t thumb_len;
};

/* proof_make does it all, here and now. Release ret with
 * proof_result_done. */
void proof_make(const struct proof_order *order, struct proof_result *ret);
void proof_result_done(struct proof_result *result);

/* The same in a process of its own. */
struct proof {
    pid_t pid;       /* 0: none */
    int32_t ordinal; /* the caller's: which frame */
    int fd;          /* readable when there is news; -1: all is read */
    bool reaped;
    int status;
    struct buf in;
};

/* proof_start returns false with errno when no process can be started. */
bool proof_start(struct proof *proof, const struct proof_order *order,
                 int32_t ordinal);

/* proof_read takes in what there is; returns true once it is over (and the
 * process reaped), then proof_take gives the result. */
bool proof_read(struct proof *proof);
void proof_take(struct proof *proof, struct proof_result *ret);

/* proof_done kills what still runs; its end is reaped by the caller. */
void proof_done(struct proof *proof);

#endif
