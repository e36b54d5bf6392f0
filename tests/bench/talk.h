/* SPDX-License-Identifier: Apache-2.0
 *
 * One kept-alive HTTP connection to 127.0.0.1, no more of HTTP than the
 * broker's answers need. Any error ends the program: a benchmark without its
 * broker has nothing to measure.
 */
#ifndef FRAMEQ_TESTS_BENCH_TALK_H
#define FRAMEQ_TESTS_BENCH_TALK_H

#include "common/buf.h"

/* The setting of the verbs that keep many of them open. */
#define TALK_SETTING_CONNECTIONS                                               \
    {                                                                          \
        .name = "connections", .argument = "N", .fallback = "64",              \
        .help = "Requests open at once", .check = talk_is_connections          \
    }
const char *talk_is_connections(const char *value);

struct talk {
    int fd;
    struct buf in;
    size_t head, body; /* lengths of the answer being read; 0 unknown */
};

/* talk_dial returns a connection to 127.0.0.1:port, or -1 with errno. */
int talk_dial(int port);

void talk_open(struct talk *talk, int port);
void talk_close(struct talk *talk);

/* talk_send sends a request; body NULL for none. */
void talk_send(struct talk *talk, const char *method, const char *path,
               const char *body);

/* talk_take reads what is there without waiting. Returns the status once an
 * answer is whole, else 0. talk_body is its body, until the next talk_send. */
int talk_take(struct talk *talk);
const char *talk_body(const struct talk *talk);

/* talk_request sends and waits for the answer. */
int talk_request(struct talk *talk, const char *method, const char *path,
                 const char *body);

#endif
