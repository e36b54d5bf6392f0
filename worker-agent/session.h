/* SPDX-License-Identifier: Apache-2.0
 *
 * Staying in touch with the broker: when to ask it for its ports, when to build
 * the sockets anew. PURE. libzmq reconnects by itself, but not to other ports,
 * not after a refused handshake, and not soon after a long absence; so a broker
 * that is not heard is asked again by HTTP.
 */
#ifndef FRAMEQ_WORKER_AGENT_SESSION_H
#define FRAMEQ_WORKER_AGENT_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "worker-agent/farm.h"

enum session_wish {
    SESSION_WAIT,
    SESSION_ASK,    /* ask GET /v1/farm; session_farm takes the answer */
    SESSION_CONNECT /* build all sockets anew, to `farm` */
};

struct session {
    struct farm farm;
    bool connected, asking;
    bool heard;         /* a BEAT since connecting */
    int64_t ask_ms;     /* when to ask; INT64_MAX: not for now */
    int64_t backoff_ms; /* between questions without an answer */
    int64_t heard_ms;   /* last BEAT, or the connecting */
    int64_t grace_ms;   /* without a BEAT before it is asked */
};

void session_init(struct session *session, int64_t now_ms);

/* session_step returns what to do now. */
enum session_wish session_step(struct session *session, int64_t now_ms);
int64_t session_next(const struct session *session);

/* session_farm takes the answer (NULL: none); jitter is a random number that
 * spreads the questions of many agents. Returns SESSION_CONNECT or
 * SESSION_WAIT. */
enum session_wish session_farm(struct session *session, int64_t now_ms,
                               const struct farm *farm, uint32_t jitter);

void session_beat(struct session *session, int64_t now_ms);

/* session_cut: the control connection was closed. One that was never of use
 * (the broker refuses our key, or has another one) is left to the grace. */
void session_cut(struct session *session, int64_t now_ms);

#endif
