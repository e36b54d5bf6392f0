/* SPDX-License-Identifier: Apache-2.0
 *
 * Why something failed, in the words of fault.def: out of an exit status, of
 * what Blender printed, of an errno. Never says that something worked.
 */
#ifndef FRAMEQ_NODE_VERDICT_H
#define FRAMEQ_NODE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/fault.h"
#include "node/output.h"

/* verdict_make tells why a Blender ended that should not have: from its status
 * (as of waitpid), whether its scene had been opened, and its output. Writes
 * the reason for people to text. */
enum fault verdict_make(int status, bool opened, const struct output *output,
                        char *text, size_t size);

/* verdict_refine returns a better class for a failure that the driver could
 * only call "render": of the disk that folder lies on, when it is that. */
enum fault verdict_refine(enum fault fault, const struct output *output,
                          const char *folder);

/* verdict_of_errno: of a file operation under OUTPUT. */
enum fault verdict_of_errno(int reason);

/* verdict_exit returns the exit status a shell would show. */
int verdict_exit(int status);

#endif
