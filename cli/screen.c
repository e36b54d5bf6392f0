/* SPDX-License-Identifier: Apache-2.0
 *
 * A block of lines at the bottom of a terminal. Plain ANSI: up, and clear to
 * the end.
 */
#include "cli/screen.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROWS_LEAST   3
#define ROWS_DEFAULT 24
#define ROWS_KEPT    4 /* of what scrolled by before, never covered */

int screen_rows(void)
{
    struct winsize size;
    int rows = ROWS_DEFAULT;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0)
        rows = size.ws_row;
    rows -= ROWS_KEPT;
    return rows < ROWS_LEAST ? ROWS_LEAST : rows;
}

void screen_clear(struct screen *screen)
{
    if (screen->lines > 0)
        printf("\x1b[%dA\r\x1b[J", screen->lines);
    screen->lines = 0;
    fflush(stdout);
}

void screen_draw(struct screen *screen, struct buf *above, struct buf *block,
                 int lines)
{
    if (screen->lines > 0)
        printf("\x1b[%dA\r\x1b[J", screen->lines);
    fwrite(buf_text(above), 1, above->len, stdout);
    fwrite(buf_text(block), 1, block->len, stdout);
    fflush(stdout);
    screen->lines = lines;
    buf_clear(above);
    buf_clear(block);
}
