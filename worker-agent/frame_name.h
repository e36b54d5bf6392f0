/* SPDX-License-Identifier: Apache-2.0
 *
 * Which frame a picture file is of, by its name alone: before the extension it
 * ends in the frame's number, 4 digits or more, or in that and _<view>.
 */
#ifndef FRAMEQ_WORKER_AGENT_FRAME_NAME_H
#define FRAMEQ_WORKER_AGENT_FRAME_NAME_H

#include <stdbool.h>
#include <stdint.h>

struct frame_run {
    int32_t from, to, step;
};

/* frame_name_read returns that frame of run, or -1 when name is of none. A
 * number glued to other digits ("take20007" for 7) is recognised when the whole
 * of it is no frame of run. ret_view tells whether a view follows: the frame
 * then has more than one file. */
int32_t frame_name_read(const char *name, const struct frame_run *run,
                        bool *ret_view);

#endif
