/* SPDX-License-Identifier: Apache-2.0
 *
 * What one POST /job asks for, checked. Refuses whatever it does not know, and
 * every .blend outside the node's roots; whether scene and files are there
 * shows only when Blender has opened it.
 */
#ifndef FRAMEQ_NODE_SPEC_H
#define FRAMEQ_NODE_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/app/trace.h"
#include "common/frames.h"

/* What a node lets jobs do. Paths are absolute, without links or "..". */
struct spec_rules {
    const char *blend;        /* rendered when a job names none; NULL: refuse */
    const char *const *roots; /* folders whose .blend files may be named */
    size_t roots_n;
    bool scripts;
};

struct spec {
    json_t *body;           /* as it was sent */
    struct frames frames;   /* at least one */
    char *blend;            /* absolute, without links; owned */
    char *folder;           /* under OUTPUT, "" for OUTPUT itself; owned */
    char *output;           /* path under folder, with #; owned */
    char *key;              /* NULL: none given; owned */
    char trace[TRACE_SIZE]; /* traceparent for Blender; "": none. No part of the
                               body: whoever took the request sets it */
    int64_t timeout_ms;     /* of one frame; 0: none */
    int64_t silence_ms;     /* 0: none given */
    bool replace;
    bool scripts;
    bool missing_allowed;
};

/* spec_parse reads a body (len bytes) into ret, to be released with spec_done.
 * Returns false with the reason ("unknown field `form` ...") in why, ret
 * untouched. */
bool spec_parse(const char *body, size_t len, const struct spec_rules *rules,
                struct spec *ret, char *why, size_t size);

/* spec_order returns what Blender's driver is told, owned by the caller:
 * the settings of the body, output, and device ("auto", "cpu", "cuda" ...). */
json_t *spec_order(const struct spec *spec, const char *device);

void spec_done(struct spec *spec);

/* spec_name_safe writes name fit for a file: letters, digits, . _ - of ASCII,
 * everything else as _, no dot first, at most size bytes; fallback when nothing
 * is left. */
void spec_name_safe(const char *name, const char *fallback, char *ret,
                    size_t size);

#endif
