/* SPDX-License-Identifier: Apache-2.0
 *
 * Staying with a job until it has ended, with its progress on stderr. Ctrl-C
 * leaves the job alone and says how to cancel it.
 */
#ifndef FRAMEQ_CLI_WAIT_H
#define FRAMEQ_CLI_WAIT_H

#include "cli/cli.h"

/* wait_for follows job (taken) to its end and returns its last document,
 * owned. Says what failed and, as soon as it is so, that no agent can take the
 * job. A broker that goes away is waited for. */
json_t *wait_for(struct cli *cli, json_t *job);

#endif
