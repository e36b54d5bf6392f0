/* SPDX-License-Identifier: Apache-2.0
 *
 * What the fake nodes of a process were asked and did, in order, with times,
 * for tests to judge by: one JSON object a line, kept in memory for
 * GET /fake/log and, so that it outlives the process, appended to a file.
 */
#ifndef FRAMEQ_TESTS_FAKE_DIARY_H
#define FRAMEQ_TESTS_FAKE_DIARY_H

#include <stdbool.h>
#include <stdint.h>

struct diary;

/* diary_open appends to path; "" keeps it in memory only. NULL with errno set
 * when the file cannot be opened. */
struct diary *diary_open(const char *path);
void diary_close(struct diary **diary);

struct entry {
    int64_t at_ms;     /* since 1970 */
    int port;          /* of the node */
    const char *event; /* "post", "start", "end", "trick", ... */
    int32_t pid;       /* 0 where it is of no launch */
    int32_t from, to;  /* frame numbers; both the same for one frame */
    const char *text;  /* a word more, or NULL */
};

void diary_add(struct diary *diary, const struct entry *entry);

/* diary_json returns all entries as a JSON array. Owned by the caller:
 * mem_free. */
char *diary_json(const struct diary *diary);

#endif
