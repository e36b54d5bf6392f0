/* SPDX-License-Identifier: Apache-2.0
 *
 * Answers that go on. What is not sent yet waits here, bounded by whoever
 * sends; libmicrohttpd fetches it when the client can take more, and sleeps
 * while there is nothing.
 */
#include "common/http/httpd_parts.h"

#include <assert.h>
#include <string.h>

#define BLOCK_SIZE 16384 /* fetched at once */

static ssize_t stream_read(void *context, uint64_t at, char *ret, size_t max)
{
    struct request *request = context;
    struct buf *unsent = &request->unsent;
    (void)at;
    if (request->peer->gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (unsent->len == 0 && request->stream_over)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (unsent->len == 0) {
        request->suspended = true;
        MHD_suspend_connection(request->peer->connection);
        return 0;
    }
    size_t n = unsent->len < max ? unsent->len : max;
    memcpy(ret, unsent->data, n);
    buf_drop(unsent, n);
    return (ssize_t)n;
}

void httpd_stream(struct httpd_request *request, const char *type,
                  const char *const *headers)
{
    struct request *r = (struct request *)request;
    r->streams = true;
    if (r->peer->half_closed)
        r->peer->gone = true;
    request_answer(r, MHD_HTTP_OK, type,
                   MHD_create_response_from_callback(MHD_SIZE_UNKNOWN,
                                                     BLOCK_SIZE, stream_read,
                                                     request, NULL),
                   headers);
}

bool httpd_stream_send(struct httpd_request *request, const void *bytes,
                       size_t n, size_t max_behind)
{
    struct request *r = (struct request *)request;
    assert(r->streams && !r->stream_over);
    if (r->peer->gone)
        return true;
    if (n > max_behind || r->unsent.len > max_behind - n)
        return false;
    buf_add(&r->unsent, bytes, n);
    request_wake(r);
    return true;
}

void httpd_stream_end(struct httpd_request *request)
{
    struct request *r = (struct request *)request;
    assert(r->streams && !r->stream_over);
    r->stream_over = true;
    request_wake(r);
}
