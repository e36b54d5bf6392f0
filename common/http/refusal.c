/* SPDX-License-Identifier: Apache-2.0
 *
 * The one place that words refusals of requests.
 */
#include "common/http/refusal.h"

#include <jansson.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/http/negotiate.h"
#include "common/limits.h"

#define BODY_MAX  (8 * LIMIT_TARGET) /* \u escapes of a path, and the words */
#define WHOLE_MAX (BODY_MAX + 1024)

bool refusal_in_json(const char *path, const char *accept)
{
    bool v1 = path != NULL && strncmp(path, "/v1", 3) == 0 &&
              (path[3] == '/' || path[3] == '\0');
    return v1 || accept_json(accept);
}

static void write_problem(const struct refusal *refusal, struct buf *out)
{
    json_t *problem =
        json_pack("{s:s, s:s, s:i, s:s}", "type", "about:blank", "title",
                  rc_title(refusal->rc), "status", rc_status(refusal->rc),
                  "detail", refusal->detail);
    /* A path that is no UTF-8 is left out. */
    json_object_set_new(problem, "instance", json_string(refusal->path));
    char *text = json_dumps(problem, JSON_COMPACT);
    buf_add(out, text, strlen(text));
    free(text);
    json_decref(problem);
}

const char *refusal_write(const struct refusal *refusal, struct buf *out)
{
    if (refusal->json) {
        write_problem(refusal, out);
        return "application/problem+json";
    }
    buf_print(out, "%s: %s", rc_title(refusal->rc), refusal->detail);
    return "text/plain; charset=utf-8";
}

void refusal_send(int fd, const struct refusal *refusal)
{
    struct buf body, whole;
    buf_init(&body, BODY_MAX);
    buf_init(&whole, WHOLE_MAX);
    const char *type = refusal_write(refusal, &body);
    int status = rc_status(refusal->rc);
    buf_print(&whole,
              "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
              "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n%s",
              status, MHD_get_reason_phrase_for((unsigned)status), type,
              body.len, buf_text(&body));
    ssize_t sent = send(fd, whole.data, whole.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    (void)sent; /* the client is gone, or it has not read for long */
    buf_free(&whole);
    buf_free(&body);
}
