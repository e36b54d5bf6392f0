/* SPDX-License-Identifier: Apache-2.0
 *
 * One line a message on stderr, key=value:
 *   time=2026-11-24T03:42:12.345Z level=info program=frameq-broker
 *   event=job_accepted job=... (all on one line)
 * or, by log_format, the same as one JSON object.
 * Only adapters and main functions log; the core and common do not.
 */
#ifndef FRAMEQ_COMMON_APP_LOG_H
#define FRAMEQ_COMMON_APP_LOG_H

enum log_level {
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LOG_LEVEL_ERROR
};

/* log_open names the program in every line. FRAMEQ_LOG=debug|info|warn|error
 * sets the least level shown (info). */
void log_open(const char *program);

/* log_format sets how lines are written: "text" or "json". log_is_format is the
 * check of a setting for it (conf.h). */
void log_format(const char *format);
const char *log_is_format(const char *value);

/* log_line writes one line. event is a word ([a-z_]+); format gives further
 * key=value pairs, or is "" for none. Safe from any thread. */
void log_line(enum log_level level, const char *event, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)

/* log_quoted returns text quoted and escaped where it has blanks, quotes,
 * control characters or nothing at all, cut at 1 KiB. Valid until the eighth
 * further call of this thread. NULL gives "". */
const char *log_quoted(const char *text);

/* log_fatal writes "<program>: <reason>" to stderr, as JSON an event `fatal`
 * with that as its text, and exits with code (1 could not run, 2 usage). */
void log_fatal(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3), noreturn));

#endif
