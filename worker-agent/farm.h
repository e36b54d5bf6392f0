/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v1/farm: where the broker's ZeroMQ sockets are.
 */
#ifndef FRAMEQ_WORKER_AGENT_FARM_H
#define FRAMEQ_WORKER_AGENT_FARM_H

#include <stdbool.h>
#include <stdint.h>

#include "common/app/join.h"
#include "worker-agent/web.h"

struct farm {
    int status_port, control_port;
    char server_key[CURVE_KEY_SIZE]; /* "": agents need no key */
    bool keeps;                      /* it wants the frames (--results keep) */
};

/* farm_ask asks the broker; done is called from web_run. */
struct agent_options;
void farm_ask(struct web *web, int64_t now_ms,
              const struct agent_options *options, web_done *done, void *ctx);

/* farm_read reads the answer. Returns false with the reason in why. */
bool farm_read(const struct web_answer *answer, struct farm *ret, char *why,
               size_t size);

#endif
