/* SPDX-License-Identifier: Apache-2.0
 *
 * Numbers for jobs that never come twice out of one OUTPUT, whichever node
 * asks and whatever is restarted.
 */
#ifndef FRAMEQ_NODE_SERIAL_H
#define FRAMEQ_NODE_SERIAL_H

#include <stdint.h>

/* A zeroed struct serial has no numbers yet. */
struct serial {
    int64_t next, end;
};

/* serial_next returns the next number (1 and up), taking a new block of them
 * from the file root/serial when it has none left. Returns -1 with errno. */
int64_t serial_next(struct serial *serial, const char *root);

#endif
