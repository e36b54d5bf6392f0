/* SPDX-License-Identifier: Apache-2.0
 *
 * --start-node: a frameq-node as our child, started where none answers, again
 * with growing pauses when it dies, ended with us. It is never more than one
 * and never a node somebody else started.
 */
#ifndef FRAMEQ_WORKER_AGENT_KEEPER_H
#define FRAMEQ_WORKER_AGENT_KEEPER_H

#include <stdbool.h>
#include <stdint.h>

struct keeper;

/* keeper_open keeps a node that listens on "host:port" and, where its own
 * settings name no folder of scenes, may open those of scenes (both
 * copied, the latter into the environment, before there is work for threads).
 */
struct keeper *keeper_open(const char *listen, const char *scenes);

/* keeper_close ends the node at once if it is still there. */
void keeper_close(struct keeper **keeper);

/* keeper_want: no node answers. Starts ours unless it runs or died just now. */
void keeper_want(struct keeper *keeper, int64_t now_ms);

/* keeper_reap: a child has ended (SIGCHLD). */
void keeper_reap(struct keeper *keeper, int64_t now_ms);

/* keeper_stop asks it to end; keeper_runs tells whether it is still there. */
void keeper_stop(struct keeper *keeper);
bool keeper_runs(const struct keeper *keeper);

#endif
