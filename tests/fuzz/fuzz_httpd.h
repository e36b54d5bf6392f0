/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker's HTTP face without sockets: the seam is the linker.
 * fuzz_httpd.c defines httpd_*, fuzz_ledger.c what the face needs of store_*
 * and feed_*. Every answer is held to what all answers keep.
 */
#ifndef FRAMEQ_TESTS_FUZZ_FUZZ_HTTPD_H
#define FRAMEQ_TESTS_FUZZ_FUZZ_HTTPD_H

#include "tests/fuzz/fuzz_bytes.h"

/* httpd_take gives the face one request, written "METHOD target", lines of
 * "Name: value", an empty line and the body; ended by a line of one '~'.
 * Requests that a server would not pass on are left out. The text lives until
 * httpd_end. */
void httpd_take(struct fuzz_bytes *in, struct arena *arena);

/* httpd_end ends all requests, answered or not. */
void httpd_end(void);

/* ledger_reset makes the ledger empty. */
void ledger_reset(void);

#endif
