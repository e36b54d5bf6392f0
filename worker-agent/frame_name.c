/* SPDX-License-Identifier: Apache-2.0
 *
 * Names are taken from their end: extension, view, digits.
 */
#include "worker-agent/frame_name.h"

#include <stddef.h>
#include <string.h>

#include "common/picture/picture.h"

#define DIGITS_MIN 4 /* Blender pads frame numbers to four */
#define DIGITS_MAX 9 /* more do not fit an int32_t */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool run_has(const struct frame_run *run, int32_t frame)
{
    return run->from <= frame && frame <= run->to &&
           (frame - run->from) % run->step == 0;
}

static int32_t number_of(const char *digits, size_t n)
{
    int32_t number = 0;
    for (size_t i = 0; i < n; i++)
        number = number * 10 + (digits[i] - '0');
    return number;
}

/* The frame that name's first len bytes end in. The longest number is tried
 * first; a shorter one counts only as Blender would write it: four digits, or
 * more that do not begin with 0. */
static int32_t frame_at_end(const char *name, size_t len,
                            const struct frame_run *run)
{
    size_t n = 0;
    while (n < len && is_digit(name[len - 1 - n]))
        n++;
    for (size_t k = n < DIGITS_MAX ? n : DIGITS_MAX; k >= DIGITS_MIN; k--) {
        const char *digits = name + len - k;
        bool written_so = k == n || k == DIGITS_MIN || *digits != '0';
        int32_t frame = number_of(digits, k);
        if (written_so && run_has(run, frame))
            return frame;
    }
    return -1;
}

int32_t frame_name_read(const char *name, const struct frame_run *run,
                        bool *ret_view)
{
    const char *dot = strrchr(name, '.');
    if (dot == NULL || !picture_is(name))
        return -1;
    size_t len = (size_t)(dot - name);
    int32_t frame = frame_at_end(name, len, run);
    *ret_view = false;
    if (frame >= 0)
        return frame;
    size_t view = len;
    while (view > 0 && name[view - 1] != '_')
        view--;
    if (view == 0 || view == len)
        return -1;
    *ret_view = true;
    return frame_at_end(name, view - 1, run);
}
