/* SPDX-License-Identifier: Apache-2.0
 *
 * Text from outside: is it fit to keep, and how it is shown in a message.
 * Changes no text in place and knows no locale.
 */
#ifndef FRAMEQ_COMMON_TEXT_H
#define FRAMEQ_COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* text_is_plain tells whether len bytes are whole UTF-8 without control
 * characters (C0, DEL, C1). Empty text is. */
bool text_is_plain(const char *text, size_t len);

/* text_equals tells whether the len bytes at text are word. */
bool text_equals(const char *word, const char *text, size_t len);

/* text_excerpt writes len bytes of text into ret fit to stand in a message
 * for people: control characters and broken UTF-8 become '?', what passes
 * size is cut between characters and ends in "...". size is at least 8. */
char *text_excerpt(const char *text, size_t len, char *ret, size_t size);

/* text_is_name_char tells whether names of agents and tokens may have this
 * character: letters, digits, '.', '_' and '-'. */
bool text_is_name_char(char c);

/* text_choice writes words (ended by NULL) as "a, b or c" into ret, cut at
 * size. */
char *text_choice(const char *const *words, char *ret, size_t size);

#endif
