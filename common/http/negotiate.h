/* SPDX-License-Identifier: Apache-2.0
 *
 * What the classic routes of broker and node agree on: text or JSON, which
 * bodies count as JSON.
 */
#ifndef FRAMEQ_COMMON_HTTP_NEGOTIATE_H
#define FRAMEQ_COMMON_HTTP_NEGOTIATE_H

#include <stdbool.h>

/* accept_json tells whether an Accept header prefers JSON: it takes
 * application/json (or application/problem+json) at a higher weight than
 * text/plain. NULL, "*" "/" "*" and axios' own "application/json, text/plain,
 * * / *" do not: equal weights get text. */
bool accept_json(const char *accept);

/* accept_openmetrics tells whether it prefers application/openmetrics-text to
 * text/plain, as Prometheus does. */
bool accept_openmetrics(const char *accept);

/* content_is_json tells whether a body of that Content-Type is taken as JSON:
 * application/json and +json types; none at all; and, where has_origin is
 * false, curl's application/x-www-form-urlencoded. */
bool content_is_json(const char *content_type, bool has_origin);

#endif
