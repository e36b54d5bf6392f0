/* SPDX-License-Identifier: Apache-2.0
 *
 * Pictures on their way to a broker that keeps them (--results keep): by their
 * SHA-256, like the files of a scene, so that what the broker has accepted as a
 * frame, and nothing else, is found there as that frame. What is to be sent is
 * noted in a folder and goes on after a restart of either side. A thread of its
 * own sends; no batch waits for it.
 */
#ifndef FRAMEQ_WORKER_AGENT_SENDER_H
#define FRAMEQ_WORKER_AGENT_SENDER_H

#include <stdbool.h>
#include <stddef.h>

struct sender;

/* sender_open takes the folder (made where it is missing) and starts; of the
 * options it takes the broker, what it shows there and how it knows it. Returns
 * NULL with the reason in why. */
struct agent_options;
struct sender *sender_open(const char *dir, const struct agent_options *options,
                           char *why, size_t size);

/* sender_close ends it; what was not sent is sent by the next run. */
void sender_close(struct sender **sender);

/* sender_add has a file sent. name: blob_is_name. Returns false with errno set
 * when it cannot be noted. */
bool sender_add(struct sender *sender, const char *path, const char *name);

#endif
