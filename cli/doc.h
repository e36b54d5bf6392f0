/* SPDX-License-Identifier: Apache-2.0
 *
 * Reading the broker's documents: what is absent or of another type reads as
 * nothing (""/0/false), so that a newer or older broker never ends a verb.
 */
#ifndef FRAMEQ_CLI_DOC_H
#define FRAMEQ_CLI_DOC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* All take any value or NULL for object; what they return is borrowed. */
const char *doc_text(const json_t *object, const char *key);
int64_t doc_int(const json_t *object, const char *key);
double doc_real(const json_t *object, const char *key);
bool doc_on(const json_t *object, const char *key);

/* doc_has tells whether key is there and not null. */
bool doc_has(const json_t *object, const char *key);

/* doc_is tells whether the text at key is word. */
bool doc_is(const json_t *object, const char *key, const char *word);

/* doc_time reads an RFC 3339 time as ms since 1970; -1: none. */
int64_t doc_time(const json_t *object, const char *key);

/* doc_clean turns control characters of every text in value into blanks, so
 * that none of it can drive a terminal. */
void doc_clean(json_t *value);

#endif
