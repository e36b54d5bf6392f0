/* SPDX-License-Identifier: Apache-2.0
 *
 * A block of lines at the bottom of a terminal that is drawn over again, with
 * lines that stay scrolling away above it.
 */
#ifndef FRAMEQ_CLI_SCREEN_H
#define FRAMEQ_CLI_SCREEN_H

#include "common/buf.h"

struct screen {
    int lines; /* of the block that stands there now */
};

/* screen_rows returns the lines a block may have, at least 3. */
int screen_rows(void);

/* screen_draw takes the old block off, writes `above` (whole lines that stay)
 * and then the block of so many lines. Both are emptied. */
void screen_draw(struct screen *screen, struct buf *above, struct buf *block,
                 int lines);

/* screen_clear takes the block off, so that something else can be written. */
void screen_clear(struct screen *screen);

#endif
