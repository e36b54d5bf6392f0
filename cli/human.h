/* SPDX-License-Identifier: Apache-2.0
 *
 * Times as people say and type them. Pure.
 */
#ifndef FRAMEQ_CLI_HUMAN_H
#define FRAMEQ_CLI_HUMAN_H

#include <jansson.h>
#include <stdint.h>

#define HUMAN_SIZE 64

/* human_seconds writes a duration in two units at most: "0.4 s", "38 s",
 * "2 m 04 s", "1 h 12 m", "3 d 4 h". Returns ret. */
char *human_seconds(double seconds, char ret[HUMAN_SIZE]);

/* human_eta writes {"low","high"} in seconds as "12-16 m", without a high end
 * as "12 m or more"; "" for null. human_left writes that of a job, and
 * "estimating" while it renders its first frames. */
char *human_eta(const json_t *eta, char ret[HUMAN_SIZE]);
char *human_left(const json_t *job, char ret[HUMAN_SIZE]);

/* human_ago writes how long before now_ms then_ms was, in one unit, as "4 m
 * ago"; "-" for a negative then_ms. */
char *human_ago(int64_t then_ms, int64_t now_ms, char ret[HUMAN_SIZE]);

/* human_time reads a moment still to come as ms since 1970: RFC 3339, a span
 * from now_ms on, or HH:MM, the next such time of the local day. -1 for
 * anything else. */
int64_t human_time(const char *text, int64_t now_ms);

#endif
