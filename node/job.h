/* SPDX-License-Identifier: Apache-2.0
 *
 * A job as the node's callers see it: which frames are done, which one is
 * being rendered, why it ended. Starts no process, reads no clock, touches no
 * file; run.c does, and tells this.
 *
 * Frames are handed to Blender in ascending order, one at a time. The first
 * failure ends the job: the first frame that is not done is the failed one,
 * those behind it are stopped.
 */
#ifndef FRAMEQ_NODE_JOB_H
#define FRAMEQ_NODE_JOB_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"
#include "node/output.h"
#include "node/spec.h"

enum frame_state {
    FRAME_PENDING,
    FRAME_RENDERING, /* Blender has it, or its files are being proven */
    FRAME_DONE,
    FRAME_FAILED,
    FRAME_STOPPED,
};

enum job_state { JOB_RUNNING, JOB_COMPLETED, JOB_FAILED, JOB_STOPPED };

/* Whose Blender renders it. */
enum launch {
    LAUNCH_NONE,  /* none yet */
    LAUNCH_COLD,  /* one started for it */
    LAUNCH_SPARE, /* one that waited with nothing open */
    LAUNCH_WARM,  /* one that had its .blend open */
};

/* What is known of a frame that was handed to Blender. */
struct frame {
    enum frame_state state;
    bool rendered; /* Blender is done with it */
    int64_t started_ms;
    uint64_t log_at;      /* where its part of the log begins */
    double seconds;       /* that Blender took */
    json_t *files;        /* array of {path, bytes, sha256}, once done */
    unsigned char *thumb; /* JPEG; NULL: none, or no longer kept */
    size_t thumb_len;
};

struct job {
    int64_t pid; /* a number of ours, never an OS pid */
    struct spec spec;
    enum job_state state;
    uint64_t rev;     /* rises with every change */
    enum fault fault; /* why it ended; FAULT_NONE: as it should */
    char *text;       /* the reason, for people; NULL: none */
    bool ending;      /* no frame is handed out any more */
    int32_t end;      /* ordinals [0, end) are to be rendered */
    int32_t to;       /* last frame number it renders */
    struct frame *at; /* of ordinals [0, begun) */
    int32_t begun;
    int32_t cap;
    int32_t done; /* of these */
    struct output output;
    json_t *warnings; /* array */
    char *device;     /* what it renders on; NULL: not known yet */
    char *blender;    /* version; NULL: not known yet */
    char *version;    /* SHA-256 of the .blend that is open; NULL: not known */
    enum launch launch;
    char *cold;       /* why its Blender is not kept; NULL: no reason known */
    int exit;         /* status of Blender; -1: not known; 0: it lives on */
    struct job *next; /* the node's list, newest first */
};

/* job_new takes spec (which is zeroed) and returns a running job. */
struct job *job_new(int64_t pid, struct spec *spec);
void job_free(struct job **job);

/* job_begin hands out the next frame: its ordinal, or -1 when there is none
 * left or the job is ending. */
int32_t job_begin(struct job *job, int64_t now_ms);

/* job_current returns the ordinal Blender is rendering, or -1. */
int32_t job_current(const struct job *job);

/* job_rendered: Blender says it is done with its current frame. */
void job_rendered(struct job *job, double seconds);

/* job_proved: all files of a frame are whole and in their places. Takes a
 * reference of files and owns thumb (may be NULL). */
void job_proved(struct job *job, int32_t ordinal, json_t *files,
                unsigned char *thumb, size_t thumb_len);

/* job_fail makes fault the reason it will end with, unless there is one; what
 * is no plain text in text (text.h) is shown as '?'. job_stop does so on
 * request. Neither ends it: frames whose files are still
 * being proven may yet be done. */
void job_fail(struct job *job, enum fault fault, const char *text);
void job_stop(struct job *job);

/* job_trim asks it to end after frame number to, and returns the frame after
 * which it does: what is being rendered is never given back. Returns -1 when
 * the job is over. Never makes it longer. */
int32_t job_trim(struct job *job, int32_t to);

/* job_end closes it once nothing of it runs any more: sets its last state and
 * that of every frame. */
void job_end(struct job *job);

/* job_changed marks a change that callers may wait for. */
void job_changed(struct job *job);

/* job_progress returns 0..1. */
double job_progress(const struct job *job);

/* job_frame returns what is known of a frame number; NULL: not begun, or not
 * of this job. Borrowed. */
const struct frame *job_frame(const struct job *job, int32_t number);

/* job_frame_log appends the log of a frame: from where it was handed out (of
 * the first, from the start) to where the next one was, or up to now. What of
 * its beginning is not kept is counted in *ret_offset. Returns false where it
 * was not begun; the one behind the last that was is, where the job failed. */
bool job_frame_log(struct job *job, int32_t number, struct buf *out,
                   uint64_t *ret_offset);

/* job_json returns the whole of it, owned by the caller. Of a job of more
 * than LIMIT_BATCH frames it lists the last LIMIT_BATCH that were begun. */
json_t *job_json(const struct job *job);

/* jobs_forget forgets ended jobs past LIMIT_NODE_QUEUE, the oldest first. */
void jobs_forget(struct job **newest);

#endif
