/* SPDX-License-Identifier: Apache-2.0
 *
 * What store.c (the loop's side) and store_thread.c (the other side) share.
 * Each field has one owner; the middle ones are passed under the mutex. The
 * ledger and the disk are the opener's until the thread starts and after it
 * has ended, the thread's in between.
 */
#ifndef FRAMEQ_BROKER_LEDGER_STORE_PARTS_H
#define FRAMEQ_BROKER_LEDGER_STORE_PARTS_H

#include <pthread.h>

#include "broker/ledger/disk.h"
#include "broker/ledger/ledger.h"

#define STORE_WHY 512

/* A question to the thread. The loop keeps all of them in one list; the other
 * links are those of the queues between the two sides. */
struct ask {
    struct ask *prev, *next;
    struct ask *queue_prev, *queue_next;
    /* The loop's. */
    void *ctx;
    bool cancelled;
    store_frames_done *frames_done;
    store_backup_done *backup_done;
    store_activity_done *activity_done;
    store_file_done *file_done;
    /* The question, fixed: which, tells the done that there is. */
    char *name;   /* owned: the job's id, or the path of the backup or file */
    json_t *root; /* owned: what to write there; NULL: no file */
    struct frames_query query;
    struct activity_query activity; /* texts in the arena */
    /* The answer, the thread's until it is in the ready queue. */
    struct arena arena;
    const struct frame_fact *facts;
    const struct activity *rows;
    size_t n_facts;
    char why[STORE_WHY];
};

struct store {
    struct ledger *ledger;
    struct disk disk;
    pthread_t thread;
    bool started;
    int event_fd; /* written by the thread, read by the loop */

    /* Under the mutex. */
    pthread_mutex_t mutex;
    pthread_cond_t wake;
    struct buf queue; /* records not yet taken by the thread */
    struct buf notes; /* rows of activity, the same */
    int64_t keep_ms;  /* rows older than it go; 0: none */
    struct buf ended; /* ids, each with its NUL, of jobs to be packed */
    bool urgent;      /* a durable one is among the records */
    bool stop;
    struct ask *waiting, *ready;
    uint64_t committed;
    enum store_health health;
    char why[STORE_WHY];

    /* The loop's. */
    uint64_t appended; /* seq of the last event queued */
    size_t behind;     /* bytes queued when last looked */
    struct ask *asks;
    enum store_health seen_health;
    char seen_why[STORE_WHY];

    /* The thread's. */
    struct buf batch;  /* records of the transaction at hand */
    struct buf noted;  /* rows of activity of it */
    bool retry;        /* it found no room */
    struct ask *asked; /* the question at hand, taken with the batch */
    struct ask *copying;
    struct backup *backup;
};

/* store_run is the thread of a struct store. It ends when `stop` is set, after
 * one try to commit what is queued. */
void *store_run(void *arg);

#endif
