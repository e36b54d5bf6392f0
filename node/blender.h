/* SPDX-License-Identifier: Apache-2.0
 *
 * One Blender process with its channel, from exec to its last byte. Knows
 * nothing of jobs: what it renders is said over the channel, so that a process
 * can outlive one job later.
 *
 * It runs in a session and process group of its own, dies with the node even
 * when that is killed, and is ended by signal, never asked: SIGINT makes
 * Blender 3.4 finish its samples first and then write nothing.
 */
#ifndef FRAMEQ_NODE_BLENDER_H
#define FRAMEQ_NODE_BLENDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "node/channel.h"
#include "node/output.h"

struct sandbox;

/* Exit status of a Blender that could not be started at all. */
enum { BLENDER_NO_EXEC = 127 };

struct blender_options {
    const char *path;   /* of the program */
    const char *blend;  /* absolute; NULL: none, Blender's own start scene */
    const char *driver; /* path of driver.py */
    const char *work;   /* folder it may write in; TMPDIR is below it */
    /* Folder of the compiled scripts of Blender itself, which saves a third of
     * a start where its own folder is not writable; NULL: none. Nothing that
     * has a scene open may write there: the next Blender runs what it finds. */
    const char *bytecode;
    bool compile;                  /* this Blender fills it */
    const struct sandbox *sandbox; /* NULL: none */
    int threads;                   /* 0: all */
    int nice;
    bool scripts;      /* those of the scene may run */
    const char *trace; /* TRACEPARENT in its environment; NULL, "": none */
};

struct blender {
    pid_t pid;     /* of the process and its group; 0: none */
    bool reaped;   /* its end was seen */
    bool stopping; /* signals were sent */
    int status;    /* as of waitpid, once reaped */
    int out_fd;    /* stdout and stderr together; -1: read to the end */
    struct channel channel;
    struct output *output; /* borrowed; what it prints goes there */
    int64_t heard_ms;      /* it last printed, said something or used CPU */
    int64_t looked_ms;     /* its CPU time was last asked for */
    uint64_t cpu_ticks;
    int64_t kill_ms;    /* when SIGKILL follows; 0: not yet */
    int64_t give_up_ms; /* when its output is closed though not at its end */
};

/* blender_start starts one; output is borrowed until blender_done. Returns
 * false with the reason in why. A program that is not there shows as exit
 * status BLENDER_NO_EXEC. */
bool blender_start(struct blender *blender,
                   const struct blender_options *options, struct output *output,
                   int64_t now_ms, char *why, size_t size);

/* blender_read takes in what it printed. */
void blender_read(struct blender *blender, int64_t now_ms);

/* blender_look asks for its CPU time, at most once a second. */
void blender_look(struct blender *blender, int64_t now_ms);

/* blender_stop ends it with all its children: SIGTERM, and SIGKILL soon
 * after. May be called again. */
void blender_stop(struct blender *blender, int64_t now_ms);

/* blender_tick does what is due. Returns when the next thing is; 0: nothing. */
int64_t blender_tick(struct blender *blender, int64_t now_ms);

/* blender_reaped: waitpid gave its status. */
void blender_reaped(struct blender *blender, int status, int64_t now_ms);

/* blender_is_gone: it ended and all it printed was read. */
bool blender_is_gone(const struct blender *blender);

/* blender_done kills what is left and closes everything. */
void blender_done(struct blender *blender);

#endif
