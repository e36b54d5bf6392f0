/* SPDX-License-Identifier: Apache-2.0
 *
 * Can any agent take a job, and if not, why: what a person wants to know when
 * nothing happens. Pure; the broker alone decides who really gets it.
 */
#ifndef FRAMEQ_CLI_VERDICT_H
#define FRAMEQ_CLI_VERDICT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* verdict_agent returns NULL when agent can take job (busy ones can, later),
 * else the reason written to why: "drained", "lacks the tag gpu". job may
 * be NULL: any job. */
const char *verdict_agent(const json_t *agent, const json_t *job, char *why,
                          size_t size);

/* verdict_agents tells whether any of agents (the list of GET /v1/agents) can
 * take job; if not, why says of the first few what keeps them, without a full
 * stop. */
bool verdict_agents(const json_t *agents, const json_t *job, char *why,
                    size_t size);

#endif
