/* SPDX-License-Identifier: Apache-2.0
 *
 * A line of the log as a JSON object, for what collects logs. For log.c alone.
 */
#ifndef FRAMEQ_COMMON_APP_LOG_JSON_H
#define FRAMEQ_COMMON_APP_LOG_JSON_H

#include <stddef.h>

/* log_json turns a line, pairs of key=value with quoted values as of
 * log_quoted, into one object whose members are those pairs, all of them texts
 * so that none changes its type; words without a key belong to the value before
 * them. Writes it with a newline to ret (size, at least 64) and returns its
 * length. Whatever bytes line has, it is JSON in UTF-8: what is none becomes
 * U+FFFD, what does not fit is cut, and ends in "...". */
size_t log_json(const char *line, char *ret, size_t size);

#endif
