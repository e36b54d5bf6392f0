/* SPDX-License-Identifier: Apache-2.0
 *
 * Where webhooks may go. A URL comes from whoever may submit, the connection
 * from this machine: so nothing is posted to this machine, to link-local
 * addresses or to those where clouds keep a machine's secrets, unless
 * --notify-allow says so. Asked with the address that is about to be
 * connected to: what a name meant a moment ago does not count.
 */
#ifndef FRAMEQ_BROKER_HOOKS_HOOK_GATE_H
#define FRAMEQ_BROKER_HOOKS_HOOK_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

/* hook_gate_is_rule is the check of one --notify-allow: an address, a network
 * (10.1.0.0/16, fd00::/8) or a host as URLs name it. NULL, or the reason. */
const char *hook_gate_is_rule(const char *value);

struct hook_gate {
    const char *const *allow; /* rules that passed the check; borrowed */
    size_t n;
};

/* hook_gate_knows tells whether a URL's host (without brackets) is allowed by
 * its name, wherever that leads. */
bool hook_gate_knows(const struct hook_gate *gate, const char *host);

/* hook_gate_admits tells whether an address (AF_INET, AF_INET6; no other) may
 * be connected to. IPv4 inside IPv6 counts as what it leads to. */
bool hook_gate_admits(const struct hook_gate *gate,
                      const struct sockaddr *address);

#endif
