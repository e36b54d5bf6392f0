/* SPDX-License-Identifier: Apache-2.0
 *
 * A line is built whole and leaves in one write, so that lines of threads and
 * of programs on one terminal do not mix. No files, no rotation: stderr is the
 * service manager's business.
 */
#include "common/app/log.h"

#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/app/clock.h"
#include "common/app/conf.h"
#include "common/app/log_json.h"

#define LINE_SIZE   4096 /* PIPE_BUF: such a write is not torn */
#define QUOTED_SIZE 1024
#define QUOTED_RING 8

/* Set once by log_open, before there are threads; the same for all of the
 * process as stderr is. */
static const char *log_program = "frameq";
static enum log_level log_least = LOG_LEVEL_INFO;
static bool log_as_json;

static const char *const level_words[] = {"debug", "info", "warn", "error"};

void log_open(const char *program)
{
    log_program = program;
    const char *least = getenv("FRAMEQ_LOG");
    for (int i = 0; least != NULL && i <= LOG_LEVEL_ERROR; i++)
        if (strcmp(least, level_words[i]) == 0)
            log_least = (enum log_level)i;
}

const char *log_is_format(const char *value)
{
    static const char *const words[] = {"text", "json", NULL};
    return conf_choice(value, words);
}

void log_format(const char *format)
{
    log_as_json = strcmp(format, "json") == 0;
}

/* Ends the text in a newline, the only one there is in it. */
static size_t seal_line(char line[LINE_SIZE])
{
    size_t len = strlen(line);
    if (len > 0 && line[len - 1] == ' ')
        len--;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' ';
    line[len] = '\n';
    return len + 1;
}

/* A log that cannot be written is no reason to stop working. */
static void put_line(const char *line, size_t len)
{
    ssize_t written = write(STDERR_FILENO, line, len);
    (void)written;
}

static void put_json(const char *line)
{
    char json[LINE_SIZE];
    size_t len = log_json(line, json, sizeof json);
    put_line(json, len);
}

static size_t write_head(char line[LINE_SIZE], enum log_level level,
                         const char *event)
{
    char time[CLOCK_TEXT_SIZE];
    int n = snprintf(line, LINE_SIZE, "time=%s level=%s program=%s event=%s ",
                     clock_text(clock_wall_ms(), time), level_words[level],
                     log_program, event);
    assert(n > 0 && n < LINE_SIZE);
    return (size_t)n;
}

void log_line(enum log_level level, const char *event, const char *format, ...)
{
    if (level < log_least)
        return;
    char line[LINE_SIZE];
    size_t n = write_head(line, level, event);
    va_list args;
    va_start(args, format);
    vsnprintf(line + n, sizeof line - n, format, args);
    va_end(args);
    if (log_as_json)
        put_json(line);
    else
        put_line(line, seal_line(line));
}

static bool is_bare(const char *text)
{
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at <= 0x20 || strchr("\"\\=\x7f", *at) != NULL)
            return false;
    return *text != '\0';
}

/* Writes one byte of quoted text; returns how many bytes that took. */
static size_t quote_byte(char *out, size_t size, unsigned char byte)
{
    static const char escaped[] = "\"\"\\\\\nn\rr\tt";
    const char *pair = escaped;
    while (*pair != '\0' && (unsigned char)*pair != byte)
        pair += 2;
    int n;
    if (*pair != '\0')
        n = snprintf(out, size, "\\%c", pair[1]);
    else if (byte < 0x20 || byte == 0x7f)
        n = snprintf(out, size, "\\x%02x", byte);
    else
        n = snprintf(out, size, "%c", byte);
    return (size_t)n;
}

/* Cut text ends in "..." inside its quotes. */
static void quote(char out[QUOTED_SIZE], const char *text)
{
    size_t len = 0;
    out[len++] = '"';
    for (const char *at = text; *at != '\0'; at++) {
        if (len + 9 > QUOTED_SIZE) { /* \xNN, "...", the quote and the NUL */
            len += (size_t)snprintf(out + len, 4, "...");
            break;
        }
        len += quote_byte(out + len, QUOTED_SIZE - len, (unsigned char)*at);
    }
    snprintf(out + len, 2, "\"");
}

const char *log_quoted(const char *text)
{
    static _Thread_local char ring[QUOTED_RING][QUOTED_SIZE];
    static _Thread_local unsigned next;
    char *out = ring[next++ % QUOTED_RING];
    if (text == NULL)
        text = "";
    if (is_bare(text) && strlen(text) < QUOTED_SIZE)
        memcpy(out, text, strlen(text) + 1);
    else
        quote(out, text);
    return out;
}

void log_fatal(int code, const char *format, ...)
{
    char reason[LINE_SIZE / 2], line[LINE_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(reason, sizeof reason, format, args);
    va_end(args);
    if (log_as_json) {
        size_t n = write_head(line, LOG_LEVEL_ERROR, "fatal");
        snprintf(line + n, sizeof line - n, "text=%s", log_quoted(reason));
        put_json(line);
    } else {
        snprintf(line, sizeof line, "%s: %s", log_program, reason);
        put_line(line, seal_line(line));
    }
    exit(code);
}
