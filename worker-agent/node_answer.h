/* SPDX-License-Identifier: Apache-2.0
 *
 * What a node said to one call of the /job API, freed of HTTP, JSON and the
 * wording of two kinds of node. node_client.c reads it, lease.c acts on it.
 */
#ifndef FRAMEQ_WORKER_AGENT_NODE_ANSWER_H
#define FRAMEQ_WORKER_AGENT_NODE_ANSWER_H

#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"

enum call { CALL_POST, CALL_POLL, CALL_TRIM, CALL_STOP, CALLS };

enum answer_word {
    ANSWER_TAKEN,     /* POST: it runs as `pid` (0: it said no number) */
    ANSWER_BUSY,      /* POST: no room now */
    ANSWER_REFUSED,   /* POST: not this job: fault, text */
    ANSWER_RUNNING,   /* it runs */
    ANSWER_COMPLETED, /* it ended well, the node says */
    ANSWER_FAILED,    /* it ended badly: fault, text */
    ANSWER_STOPPED,   /* it was stopped on request */
    ANSWER_UNKNOWN,   /* the node knows no such job */
    ANSWER_TRIMMED,   /* TRIM: it ends after frame `to` */
    ANSWER_AGREED,    /* STOP: it will end */
    ANSWER_UNSENT,    /* no connection: the node has not seen the call */
    ANSWER_SILENT,    /* sent, and no whole answer came */
    ANSWER_ODD        /* an answer that means nothing here: text */
};

struct answer_frame {
    int32_t frame;
    int32_t ms;        /* 0: not known */
    const char *files; /* JSON list, at most LIMIT_FILES; "" */
};

/* Texts and lists are borrowed; text is plain and within LIMIT_REASON. */
struct node_answer {
    enum answer_word word;
    int64_t pid;
    int64_t revision; /* of the job's document; 0: none */
    int32_t to;       /* frame after which it ends; -1: not said */
    int32_t frame;    /* rendering now; -1: not said */
    int32_t permille; /* of that frame */
    enum fault fault;
    const char *text;
    const struct answer_frame *frames; /* those it has proven */
    size_t n_frames;
};

#endif
