/* SPDX-License-Identifier: Apache-2.0
 *
 * The terminal a verb writes to.
 */
#include "cli/term.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH_LEAST 20   /* narrower than that nothing can be laid out */
#define WIDTH_MOST  1000 /* a COLUMNS past that is a slip of the hand */

static int width_limited(long width)
{
    if (width < WIDTH_LEAST)
        return WIDTH_LEAST;
    return width > WIDTH_MOST ? WIDTH_MOST : (int)width;
}

static int width_look(int fd)
{
    const char *columns = getenv("COLUMNS");
    if (columns != NULL && strtol(columns, NULL, 10) > 0)
        return width_limited(strtol(columns, NULL, 10));
    struct winsize size;
    if (!isatty(fd))
        return 0;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return width_limited(size.ws_col);
}

void term_look(struct term *ret, int fd)
{
    const char *kind = getenv("TERM"), *no_colour = getenv("NO_COLOR");
    bool dumb = kind == NULL || *kind == '\0' || strcmp(kind, "dumb") == 0;
    ret->width = width_look(fd);
    ret->live = isatty(fd) && !dumb;
    ret->colour = ret->live && (no_colour == NULL || *no_colour == '\0');
    ret->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

void term_paint(const struct term *term, enum colour colour, const char *text,
                struct buf *out)
{
    static const char *const codes[] = {
        [PLAIN] = "",        [DIM] = "\x1b[2m",      [BOLD] = "\x1b[1m",
        [RED] = "\x1b[31m",  [GREEN] = "\x1b[32m",   [YELLOW] = "\x1b[33m",
        [BLUE] = "\x1b[34m", [MAGENTA] = "\x1b[35m",
    };
    bool paints = term->colour && colour != PLAIN;
    buf_print(out, "%s%s%s", paints ? codes[colour] : "", text,
              paints ? "\x1b[0m" : "");
}
