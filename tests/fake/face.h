/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP face of one fake node: the classic /job API byte for byte, the
 * basics of our own node's where asked for, and /fake/ for tests.
 */
#ifndef FRAMEQ_TESTS_FAKE_FACE_H
#define FRAMEQ_TESTS_FAKE_FACE_H

#include "common/http/httpd.h"
#include "tests/fake/node.h"

struct face {
    struct node node;
    struct httpd *httpd;
    int64_t now_ms; /* of the loop's turn; set before httpd_run */
    struct parked *parked;
};

/* face_open listens on host:port (0: a free one). Returns false with the
 * reason in why. The face stays where it is until face_close. */
bool face_open(struct face *face, const struct habits *habits, const char *host,
               int port, char *why, size_t size);
void face_close(struct face *face);

/* face_step does all that is due at now_ms; face_next returns when it is due
 * again at the latest. */
void face_step(struct face *face, int64_t now_ms);
int64_t face_next(const struct face *face, int64_t now_ms);

#endif
