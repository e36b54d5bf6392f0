/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands between libzmq and the system, in the broker, the agent and
 * frameq alike: calls of libzmq's that come here instead.
 */
#ifndef FRAMEQ_COMMON_ZMQ_GUARD_H
#define FRAMEQ_COMMON_ZMQ_GUARD_H

#include <stdint.h>

/* stream_open begins to follow what comes over a descriptor, on the thread that
 * calls it; stream_close forgets it, where it was followed. */
void stream_open(int fd);
void stream_close(int fd);

/* cut_told logs, at most every ten seconds, that a peer was cut off. address:
 * the peer's, "" where it is not known. Any thread. */
void cut_told(const char *address);

/* cut_taken returns how many were cut off since it was last called. Any thread.
 */
uint64_t cut_taken(void);

#endif
