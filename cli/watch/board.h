/* SPDX-License-Identifier: Apache-2.0
 *
 * What `frameq watch` shows on a whole terminal: the farm or one job, which
 * job is chosen, what the keys do. Pure: keys become acts, a mirror becomes
 * lines.
 */
#ifndef FRAMEQ_CLI_WATCH_BOARD_H
#define FRAMEQ_CLI_WATCH_BOARD_H

#include <jansson.h>
#include <stdbool.h>

#include "cli/term.h"
#include "cli/watch/mirror.h"
#include "common/buf.h"
#include "common/limits.h"

/* Keys that are no characters. */
enum key {
    KEY_NONE,
    KEY_ENTER = '\r',
    KEY_ESCAPE = 27,
    KEY_BACK = 127,
    KEY_UP = 256,
    KEY_DOWN,
    KEY_HOME,
    KEY_END,
    KEY_OTHER /* a sequence without a meaning here */
};

/* key_read reads the first key of n bytes (at least 1) from a terminal.
 * Returns how many bytes it takes; 0: the key may go on in bytes to come. */
size_t key_read(const char *bytes, size_t n, int *ret);

enum board_page { BOARD_FARM, BOARD_JOB };

struct board {
    const struct mirror *mirror;
    const struct term *term;
    const char *url; /* of the broker */
    int rows;        /* of the terminal */
    bool keys;       /* there is somebody to press any */
    bool one;        /* only the job chosen is watched, on its page */
    /* What the board itself keeps. */
    enum board_page page;
    bool help;
    char asked[LIMIT_ID + 1];    /* it is asked whether to cancel that job */
    char chosen[LIMIT_ID + 1];   /* a job's id; "" while there is none */
    char note[LIMIT_REASON + 1]; /* stands in the last line until a key */
    json_t *recent;              /* what happened: {"job","text"}; owned */
};

void board_done(struct board *board);

/* board_recent adds a line (without its end) of what happened to a job; job
 * may be "". */
void board_recent(struct board *board, const char *job, const char *text);

/* What a key asks for beyond the board itself, of the job chosen. */
enum board_act {
    BOARD_NOTHING,
    BOARD_PAUSE, /* or resume, where it is paused */
    BOARD_RETRY,
    BOARD_CANCEL, /* and it was asked whether that is meant */
    BOARD_QUIT
};
enum board_act board_key(struct board *board, int key);

/* board_job returns the chosen job's document, borrowed; NULL: none. What is
 * chosen is gone when its job is: the first one is chosen then. */
const json_t *board_job(struct board *board);

/* board_draw appends exactly `rows` lines, none wider than the terminal. */
void board_draw(struct board *board, struct buf *out);

#endif
