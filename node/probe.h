/* SPDX-License-Identifier: Apache-2.0
 *
 * What the Blender of this node can do: version, engines, GPUs. Asked once at
 * the start, of a Blender of its own. Whether it can draw with OpenGL is not
 * asked, as that takes longer than all the rest: engines that need it are
 * taken as there until a job has shown otherwise.
 */
#ifndef FRAMEQ_NODE_PROBE_H
#define FRAMEQ_NODE_PROBE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "node/blender.h"
#include "node/poller.h"
#include "node/run.h"
#include "node/work.h"

struct probe {
    struct blender blender;
    struct output output;
    struct work work;
    bool running;
    bool told; /* version, engines and GPUs are known */
    int64_t until_ms;
    char *version;   /* NULL: not known */
    json_t *engines; /* array of names; NULL: not known */
    json_t *gpus;    /* array of {kind, name}; NULL: not known */
    char *complaint; /* why Blender does not run; NULL: it does */
};

void probe_start(struct probe *probe, const struct run_site *site,
                 int64_t now_ms);
void probe_watch(struct probe *probe, struct poller *poller, int64_t now_ms);

void probe_step(struct probe *probe, int64_t now_ms);

/* probe_is_over: there is an answer, or there will be none. */
bool probe_is_over(const struct probe *probe);

/* probe_has_gpu tells whether a GPU of kind ("cuda", any case) was found. */
bool probe_has_gpu(const struct probe *probe, const char *kind);

/* probe_no_gl: a job has shown that there is no OpenGL here. */
void probe_no_gl(struct probe *probe);

void probe_stop(struct probe *probe, int64_t now_ms);
void probe_done(struct probe *probe);

#endif
