/* SPDX-License-Identifier: Apache-2.0
 *
 * The body of a submit -> struct job_spec. Checks every field a job may have
 * and the rules between them; fills in no default, knows no other job and no
 * socket.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_JOBSPEC_H
#define FRAMEQ_BROKER_PEOPLE_JOBSPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "broker/core/core.h"

/* jobspec_read reads len bytes of body. On success it fills ret, texts in
 * arena, and returns true; jobspec_done releases what is not in the arena.
 * `id`, `key` and `key_hash` stay empty, `user` is "" unless the body names
 * one, `plain` is set where nothing but from and to was given. On failure it
 * returns false with the reason in why ("field `to`: missing"). */
bool jobspec_read(const char *body, size_t len, struct arena *arena,
                  struct job_spec *ret, char *why, size_t size);
void jobspec_done(struct job_spec *spec);

#endif
