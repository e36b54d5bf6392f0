/* SPDX-License-Identifier: Apache-2.0
 *
 * What /proc tells about the processes a node started.
 */
#ifndef FRAMEQ_NODE_PROC_H
#define FRAMEQ_NODE_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* proc_session_ticks returns the CPU time, in clock ticks, of all living
 * processes of a session. */
uint64_t proc_session_ticks(pid_t session);

/* proc_session_memory returns the resident bytes of all of them. */
uint64_t proc_session_memory(pid_t session);

/* Bytes of this machine's memory. */
struct proc_memory {
    uint64_t total, available;
};

/* proc_memory returns false when the kernel does not tell. */
bool proc_memory(struct proc_memory *ret);

/* proc_children calls each for every child of this process, zombies too. */
void proc_children(void (*each)(void *ctx, pid_t pid), void *ctx);

#endif
