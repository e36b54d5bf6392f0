/* SPDX-License-Identifier: Apache-2.0
 *
 * The agent: one loop over its sockets, one `now` a turn. It joins the pure
 * parts (slots, watch, session, seat, pace) to their hands and decides nothing
 * itself.
 */
#ifndef FRAMEQ_WORKER_AGENT_AGENT_H
#define FRAMEQ_WORKER_AGENT_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct join;
struct trust;

struct agent_options {
    const char *broker, *node; /* URLs without a slash at the end */
    const char *token;         /* secret it shows the broker; NULL: none */
    const struct join *join;   /* keys; NULL: none */
    const struct trust *trust; /* what the broker's certificate must be */
    const char *name;          /* [A-Za-z0-9._-]{1,64} */
    int32_t slots;             /* 0: what the node offers */
    const char *const *tags;
    size_t n_tags;
    const char *state_dir;  /* folder of the journal */
    const char *cache_dir;  /* folder of uploaded scenes */
    uint64_t cache_bytes;   /* of them, at most */
    const char *frames_dir; /* NULL: none */
    bool start_node;
};

/* agent_run works until SIGTERM or SIGINT. Returns 0, or 1 with the reason in
 * why when it could not run. */
int agent_run(const struct agent_options *options, char *why, size_t size);

#endif
