/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers in the form the client prefers: plain text as classic clients know
 * it, or JSON.
 */
#ifndef FRAMEQ_NODE_REPLY_H
#define FRAMEQ_NODE_REPLY_H

#include <jansson.h>
#include <stdbool.h>

#include "common/http/httpd.h"
#include "common/rc.h"

/* Headers beside the type: name, value, ..., NULL; at most eight words. NULL:
 * none. */
typedef const char *const *reply_headers;

/* reply_wants_json: its Accept prefers JSON to text. */
bool reply_wants_json(const struct httpd_request *request);

void reply_text(struct httpd_request *request, int status,
                reply_headers headers, const char *text);

/* reply_json takes value. */
void reply_json(struct httpd_request *request, int status,
                reply_headers headers, json_t *value);

/* reply_refuse answers with an error: "<detail>" as text, or problem+json. */
void reply_refuse(struct httpd_request *request, enum rc rc,
                  reply_headers headers, const char *detail);

#endif
