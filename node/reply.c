/* SPDX-License-Identifier: Apache-2.0
 *
 * Nothing a node says may be cached: all of it changes.
 */
#include "node/reply.h"

#include <stdlib.h>
#include <string.h>

#include "common/http/negotiate.h"

bool reply_wants_json(const struct httpd_request *request)
{
    return accept_json(httpd_header(request, "Accept"));
}

static void reply(struct httpd_request *request, int status, const char *type,
                  reply_headers headers, const char *body)
{
    struct httpd_answer answer = {
        .status = status,
        .type = type,
        .body = body,
        .len = strlen(body),
        .headers = {"Cache-Control", "no-store"},
    };
    for (size_t i = 0; headers && headers[i]; i++)
        answer.headers[i + 2] = headers[i];
    httpd_reply(request, &answer);
}

void reply_text(struct httpd_request *request, int status,
                reply_headers headers, const char *text)
{
    reply(request, status, "text/plain; charset=utf-8", headers, text);
}

static void reply_value(struct httpd_request *request, int status,
                        const char *type, reply_headers headers, json_t *value)
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_REAL_PRECISION(6));
    reply(request, status, type, headers, text ? text : "null");
    free(text);
    json_decref(value);
}

void reply_json(struct httpd_request *request, int status,
                reply_headers headers, json_t *value)
{
    reply_value(request, status, "application/json", headers, value);
}

void reply_refuse(struct httpd_request *request, enum rc rc,
                  reply_headers headers, const char *detail)
{
    const int status = rc_status(rc);
    if (!reply_wants_json(request)) {
        reply_text(request, status, headers, detail);
        return;
    }
    reply_value(request, status, "application/problem+json", headers,
                json_pack("{s:s, s:i, s:s}", "title", rc_title(rc), "status",
                          status, "detail", detail));
}
