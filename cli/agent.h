/* SPDX-License-Identifier: Apache-2.0
 *
 * What is said of an agent in several places. Pure.
 */
#ifndef FRAMEQ_CLI_AGENT_H
#define FRAMEQ_CLI_AGENT_H

#include <jansson.h>

#include "common/buf.h"

/* agent_state returns the state to show: "drained" for an agent that is up but
 * takes nothing new, else its own. Borrowed. */
const char *agent_state(const json_t *agent);

/* agent_tell_leases appends what it renders, "shot_010 #98 62 %, ...". */
void agent_tell_leases(const json_t *agent, struct buf *out);

/* agent_tell_none appends what to do when there are no agents. */
void agent_tell_none(const char *broker_url, struct buf *out);

/* agent_match returns the one agent of this machine: those whose name is host
 * or starts with host and a dash. Returns how many there are; ret is the
 * first, borrowed, NULL when there is none. */
size_t agent_match(const json_t *agents, const char *host, const json_t **ret);

#endif
