/* SPDX-License-Identifier: Apache-2.0
 *
 * Lanes: one PUSH socket an agent, each on a port of its own from a range,
 * lowest free first. A lane is used once; its port rests before it is used
 * again, so that an agent still trying the old one cannot steal batches.
 */
#ifndef FRAMEQ_BROKER_AGENTS_LANES_H
#define FRAMEQ_BROKER_AGENTS_LANES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lanes;

/* A freed port rests this long. */
#define LANES_REST_MS 60000

/* key: the broker's secret key, borrowed; NULL: a lane is open to anybody. */
struct lanes *lanes_new(const char *host, int low, int high, const char *key);
void lanes_free(struct lanes **lanes);

/* lanes_open binds a lane for an agent, closing the one it had, and returns its
 * port; the same lane again returns the port it has. 0 when no port is free,
 * or less than a tenth of the descriptors. */
int lanes_open(struct lanes *lanes, const char *agent, uint64_t lane,
               int64_t now_ms);

/* lanes_close ends the lane of an agent, if it has one. */
void lanes_close(struct lanes *lanes, const char *agent, int64_t now_ms);

/* lanes_send sends bytes on an agent's lane without waiting. Returns false when
 * there is none, or nobody is connected to it. */
bool lanes_send(struct lanes *lanes, const char *agent, uint64_t lane,
                const void *bytes, size_t len);

#endif
