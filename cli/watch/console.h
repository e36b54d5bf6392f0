/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole terminal for one program: another screen than the shell's, keys
 * one by one. However the program ends, but by SIGKILL, the terminal is as it
 * was.
 */
#ifndef FRAMEQ_CLI_WATCH_CONSOLE_H
#define FRAMEQ_CLI_WATCH_CONSOLE_H

#include <stdbool.h>

#include "common/buf.h"

/* console_open takes the terminal of stdout, and its keys where stdin is one
 * too. console_close gives it back; more than once does no harm. */
void console_open(void);
void console_close(void);

/* console_input returns the descriptor that keys come from; -1: none. */
int console_input(void);

/* console_key returns the next key that was pressed (board.h), KEY_NONE when
 * there is none, never waiting; 'q' once the terminal is gone. */
int console_key(void);

/* console_resized tells whether the terminal may look otherwise than it was
 * drawn: it has another size, or was given away meanwhile. Once. */
bool console_resized(void);

/* console_rows returns the lines the terminal has, at least 3. */
int console_rows(void);

/* console_draw writes whole lines, of which the last ends without one, over
 * what stands there. */
void console_draw(const struct buf *lines);

#endif
