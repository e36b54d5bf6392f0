/* SPDX-License-Identifier: Apache-2.0
 *
 * Sessions of the page: a cookie in the place of a token, since pictures,
 * movies and links cannot send one in a header. Nothing is kept of a session:
 * the cookie names its token and its end, and is signed with a key that lies
 * beside the ledger. So it outlives a restart, ends with its token, and is of
 * no use as a token. One that was copied ends with its time or its token.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_SESSION_H
#define FRAMEQ_BROKER_PEOPLE_SESSION_H

#include <stdint.h>

#include "common/app/tokens.h"

#define SESSION_KEY  32                              /* bytes */
#define SESSION_MS   (7 * 24 * 3600 * INT64_C(1000)) /* that one lasts */
#define SESSION_TEXT (LIMIT_AGENT + 72) /* name, end, signature, NUL */
#define SESSION_NAME 32

/* session_key_open reads DIR/sessions.key, or makes it. False with the reason
 * in why: it cannot be read or written, others may read it, it is no key. */
bool session_key_open(const char *dir, unsigned char ret[SESSION_KEY],
                      char *why, size_t size);

/* session_write writes the value of a cookie for a token until ends_ms. */
void session_write(const unsigned char key[SESSION_KEY],
                   const struct token *token, int64_t ends_ms,
                   char ret[SESSION_TEXT]);

/* session_find returns the token that a value of session_write stands for, and
 * its end in *ret_ends_ms; NULL when it is none of this key, its time is over
 * (ends_ms <= now_ms), or its token is not among these any more. */
const struct token *session_find(const unsigned char key[SESSION_KEY],
                                 const struct tokens *tokens, const char *value,
                                 int64_t now_ms, int64_t *ret_ends_ms);

/* session_name writes the cookie's name and returns ret: with the port, since
 * browsers tell hosts apart by their cookies, and ports not. */
char *session_name(int port, char ret[SESSION_NAME]);

/* session_cookie copies the value that a Cookie header (NULL: absent) has for a
 * name. False where it has none, or one too long to be of session_write. */
bool session_cookie(const char *header, const char *name,
                    char ret[SESSION_TEXT]);

#endif
