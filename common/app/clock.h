/* SPDX-License-Identifier: Apache-2.0
 *
 * The only clock. A loop reads it once a turn and passes `now` on; nothing
 * below the loops reads it.
 */
#ifndef FRAMEQ_COMMON_APP_CLOCK_H
#define FRAMEQ_COMMON_APP_CLOCK_H

#include <stdint.h>

/* clock_now_ms returns milliseconds since 1970: the wall clock at the first
 * call plus the monotonic time since. It never goes back, does not follow
 * later changes of the wall clock, and stands still while the machine is
 * suspended, so that nothing expires at once when it wakes. */
int64_t clock_now_ms(void);

/* clock_boot_ms is the same but that it goes on while the machine is suspended:
 * for who tells such a sleep from it and has times to keep that people set. The
 * broker; see step_wake of its core. */
int64_t clock_boot_ms(void);

/* clock_wall_ms returns the wall clock as it is, changes and all: for log
 * lines, which are read beside those of other programs. Decide nothing by it.
 */
int64_t clock_wall_ms(void);

/* clock_monotonic_ms returns the monotonic clock alone: for deadlines that a
 * system call takes as a time on it. */
int64_t clock_monotonic_ms(void);

#define CLOCK_TEXT_SIZE 32

/* clock_text writes ms as RFC 3339 in UTC with milliseconds
 * ("2026-11-24T03:42:12.345Z") and returns ret. */
char *clock_text(int64_t ms, char ret[CLOCK_TEXT_SIZE]);

/* clock_span reads "90s", "30m", "2h", "30d" as ms; -1 for anything else. */
int64_t clock_span(const char *text);

/* clock_parse reads RFC 3339 (any offset, optional fraction) into ms since
 * 1970. Returns -1 for anything else. */
int64_t clock_parse(const char *text);

#endif
