/* SPDX-License-Identifier: Apache-2.0
 *
 * The node: jobs, slots, the loop. One thread; every turn takes the time once,
 * waits, lets each part take what is there, and answers whoever waits for a
 * change. What HTTP says is api.c's.
 */
#ifndef FRAMEQ_NODE_NODE_H
#define FRAMEQ_NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/fault.h"
#include "common/http/site.h"
#include "common/limits.h"
#include "node/job.h"
#include "node/pool.h"
#include "node/probe.h"
#include "node/run.h"
#include "node/sandbox.h"
#include "node/serial.h"
#include "node/spec.h"
#include "node/wait.h"
#include "node/work.h"

struct httpd;

/* As the command line says; borrowed. */
struct node_options {
    const char *host;
    int port;          /* 0: a free one */
    struct site site;  /* names; self is the node's to fill in */
    const char *blend; /* NULL: none */
    const char *const *roots;
    size_t roots_n;
    const char *output;
    const char *blender;
    const char *device;
    int slots;
    int threads; /* 0: all */
    int nice;
    bool scripts;
    bool sandbox; /* when it is to be had */
    bool warm;    /* Blender may stay open between jobs */
};

struct node {
    struct node_options options;
    struct spec_rules rules; /* with paths resolved */
    char **roots;            /* what rules.roots points at */
    char *blend;
    char *output;                  /* OUTPUT, absolute */
    char *work_root;               /* OUTPUT/.work */
    char *blender;                 /* path of the program; NULL: not found */
    char bytecode[LIMIT_PATH * 4]; /* as in struct blender_options; "": none */
    char name[128];
    char self[65]; /* this machine's name */
    struct sandbox *sandbox;
    char sandbox_why[128]; /* why there is none */
    struct run_site site;
    struct pool pool;
    struct run *runs; /* options.slots of them */
    struct job *jobs; /* newest first: all that run, LIMIT_NODE_QUEUE ended */
    struct serial serial;
    struct probe probe;
    struct waits waits;
    struct httpd *httpd;
    struct poller poller;
    int signals; /* signalfd */
    bool leaving;
    int64_t leave_ms;       /* when it stops waiting for what still runs */
    uint64_t disk_need;     /* free bytes below which the disk counts as full */
    int64_t probe_again_ms; /* not before */
    int64_t now_ms;         /* of this turn */
};

/* node_open resolves folders, sweeps what a dead node left, and listens.
 * Returns NULL with the reason in why. */
struct node *node_open(const struct node_options *options, char *why,
                       size_t size);

/* node_loop serves until a signal ends it. */
void node_loop(struct node *node);
void node_close(struct node **node);

int node_port(const struct node *node);

/* node_find returns a job that is remembered, by number or by key, or NULL. */
struct job *node_find(const struct node *node, int64_t pid);
struct job *node_find_key(const struct node *node, const char *key);

/* node_free_slots returns how many jobs could start now. */
int node_free_slots(const struct node *node);

/* node_start takes spec and starts a job; there must be a free slot. Returns
 * NULL when OUTPUT gives no number for it. */
struct job *node_start(struct node *node, struct spec *spec);

/* node_stop ends a job's Blender, if it runs. */
void node_stop(struct node *node, struct job *job);

/* node_revive looks again for what made the node unwell: a Blender that was
 * not there, a disk that was full. */
void node_revive(struct node *node);

/* node_health returns FAULT_NONE, or why the node takes no work, with the
 * reason for people in why. */
enum fault node_health(const struct node *node, char *why, size_t size);

/* node_health_log logs why the node takes no job, where it takes none. */
void node_health_log(const struct node *node);

#endif
