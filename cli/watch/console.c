/* SPDX-License-Identifier: Apache-2.0
 *
 * The whole terminal for one program. Its state is this file's: a signal
 * handler has to find it.
 */
#include "cli/watch/console.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/watch/board.h"

#define ROWS_LEAST   3
#define ROWS_DEFAULT 24

static const char enter_codes[] = "\x1b[?1049h\x1b[?25l\x1b[2J";
static const char leave_codes[] = "\x1b[?25h\x1b[?1049l";

static struct {
    volatile sig_atomic_t open, resized;
    bool keys;
    struct termios before, raw;
    char bytes[64]; /* read, and not taken as keys yet */
    size_t n;
} console;

static void put(const char *codes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, codes, n);
        if (done < 0 && errno != EINTR)
            return;
        codes += done > 0 ? done : 0;
        n -= done > 0 ? (size_t)done : 0;
    }
}

static void enter(void)
{
    if (console.keys)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &console.raw);
    put(enter_codes, sizeof enter_codes - 1);
    console.open = 1;
    console.resized = 1;
}

void console_close(void)
{
    if (!console.open)
        return;
    console.open = 0;
    put(leave_codes, sizeof leave_codes - 1);
    if (console.keys)
        tcsetattr(STDIN_FILENO, TCSADRAIN, &console.before);
}

static void on_end(int signal_number)
{
    console_close();
    if (signal_number == SIGINT)
        _exit(CLI_INTERRUPTED);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* Ctrl-Z: the shell gets its screen back, and we ours afterwards. */
static void on_stop(int signal_number)
{
    int error = errno;
    (void)signal_number;
    console_close();
    raise(SIGSTOP);
    enter();
    errno = error;
}

static void on_resize(int signal_number)
{
    (void)signal_number;
    console.resized = 1;
}

static void take_signals(void)
{
    static const int ends[] = {SIGINT,  SIGTERM, SIGHUP, SIGQUIT,
                               SIGABRT, SIGSEGV, SIGBUS, SIGFPE};
    struct sigaction action = {.sa_handler = on_end};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        sigaction(ends[i], &action, NULL);
    action.sa_handler = on_stop;
    sigaction(SIGTSTP, &action, NULL);
    action.sa_handler = on_resize;
    sigaction(SIGWINCH, &action, NULL);
}

void console_open(void)
{
    console.keys =
        isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &console.before) == 0;
    console.raw = console.before;
    console.raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    console.raw.c_cc[VMIN] = 0; /* a read never waits */
    console.raw.c_cc[VTIME] = 0;
    take_signals();
    atexit(console_close);
    enter();
}

int console_input(void)
{
    return console.open && console.keys ? STDIN_FILENO : -1;
}

/* Reads what was typed; false: the terminal is gone. */
static bool fill(void)
{
    int waiting = 0;
    size_t room = sizeof console.bytes - console.n;
    if (ioctl(STDIN_FILENO, FIONREAD, &waiting) != 0)
        return false;
    if (waiting <= 0 || room == 0)
        return true;
    ssize_t n = read(STDIN_FILENO, console.bytes + console.n, room);
    console.n += n > 0 ? (size_t)n : 0;
    return n >= 0 || errno == EINTR;
}

int console_key(void)
{
    int key = KEY_NONE;
    if (!console.keys)
        return KEY_NONE;
    if (!fill())
        return 'q';
    if (console.n == 0)
        return KEY_NONE;
    size_t used = key_read(console.bytes, console.n, &key);
    if (used == 0 && console.n < sizeof console.bytes)
        return KEY_NONE; /* the rest of a sequence is on its way */
    if (used == 0)
        used = console.n;
    console.n -= used;
    memmove(console.bytes, console.bytes + used, console.n);
    return key;
}

bool console_resized(void)
{
    bool resized = console.resized != 0;
    console.resized = 0;
    return resized;
}

int console_rows(void)
{
    struct winsize size;
    int rows = ROWS_DEFAULT;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0)
        rows = size.ws_row;
    return rows < ROWS_LEAST ? ROWS_LEAST : rows;
}

void console_draw(const struct buf *lines)
{
    struct buf out;
    buf_init(&out, LIMIT_ANSWER);
    buf_print(&out, "\x1b[H");
    for (const char *at = buf_text(lines); *at != '\0';) {
        size_t n = strcspn(at, "\n");
        bool last = at[n] == '\0' || at[n + 1] == '\0';
        buf_add(&out, at, n);
        buf_print(&out, "\x1b[K%s", last ? "" : "\r\n");
        at += n + (at[n] == '\n');
    }
    buf_print(&out, "\x1b[J");
    put(buf_text(&out), out.len);
    buf_free(&out);
}
