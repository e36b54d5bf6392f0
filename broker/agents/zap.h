/* SPDX-License-Identifier: Apache-2.0
 *
 * The door of the broker's ZeroMQ sockets: libzmq asks here about every
 * handshake (ZAP, ZeroMQ RFC 27), and is answered from the table of keys. A
 * socket has a domain; an agent's key opens "status", "control" and the lane of
 * that agent alone, the watchers' key "feed".
 */
#ifndef FRAMEQ_BROKER_AGENTS_ZAP_H
#define FRAMEQ_BROKER_AGENTS_ZAP_H

#include <stdint.h>

#include "broker/agents/keys.h"

struct zap;

/* Who is let into a domain. The domain of an agent's lane is ZAP_LANE and its
 * name. */
#define ZAP_STATUS  "status"
#define ZAP_CONTROL "control"
#define ZAP_FEED    "feed"
#define ZAP_LANE    "lane:"
#define ZAP_DOMAIN  (sizeof ZAP_LANE + LIMIT_AGENT)

/* zap_open answers from keys (borrowed) from now on. It comes before the first
 * socket is bound, and goes after the last is closed. */
struct zap *zap_open(struct keys *keys);
void zap_close(struct zap **zap);

/* zap_socket is to be watched for input; zap_run answers what waits there, and
 * tells how many handshakes it refused. */
void *zap_socket(const struct zap *zap);
uint64_t zap_run(struct zap *zap, int64_t now_ms);

/* zap_admits tells whether the key (Z85) may pass into a domain. Notes the
 * address where it may. */
bool zap_admits(struct keys *keys, const char *domain, const char *public,
                const char *address);

#endif
