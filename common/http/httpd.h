/* SPDX-License-Identifier: Apache-2.0
 *
 * The HTTP server of broker and node: libmicrohttpd without threads, its epoll
 * descriptor in the owner's loop. A handler sees a request once its body is in
 * and bounded; it answers at once or later (the connection is suspended in
 * between), or opens a stream. What this file refuses before any handler:
 * heads that could be read in two ways (head.h), a body past the limit (413,
 * sent as soon as that shows; what still comes is read and dropped within
 * LIMIT_BODY_DROPPED and LIMIT_DROP_MS, then closed), NUL, control bytes or
 * broken UTF-8 in the target and a parameter given twice (400), requests that
 * are not in after LIMIT_REQUEST_MS (408), chunks that break their grammar
 * (400; in libmicrohttpd's HTML where two clients send chunks at once and one
 * of them breaks off behind good ones).
 *
 * At its limit of connections the one that has been idle for longest is closed
 * for the next.
 *
 * A client that shuts its sending side keeps its plain request (`nc -N` reads
 * on), but loses its stream. libmicrohttpd writes without SIGPIPE; it uses
 * sendfile only where the program ignores that signal, and reads otherwise.
 */
#ifndef FRAMEQ_COMMON_HTTP_HTTPD_H
#define FRAMEQ_COMMON_HTTP_HTTPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct httpd;
struct proxies;
struct tls;

/* One request from its arrival until it is answered and gone. Fields are
 * borrowed from the request and valid until then. */
struct httpd_request {
    const char *method; /* as sent; "HEAD" is answered as GET, the body is not
                           sent */
    const char *path;   /* as sent, percent-decoded once, without the query */
    const char *body;   /* NUL-terminated; "" when there is none */
    size_t body_len;
    const char *peer; /* numeric address of the client */
    const char *host; /* HOST[:PORT] it asked for; NULL: it does not say */
    bool secure;      /* it came over TLS, to here or to a trusted proxy */
    bool passed_on;   /* by a trusted proxy, whose word the three above are */
    void *user;       /* the handler's own; NULL at first */
};

/* Called once per request. It must have answered, opened a stream or kept the
 * request for later when it returns. */
typedef void httpd_handler(void *ctx, struct httpd_request *request);

/* Called when a request ends: answered in full, or its client went away
 * (answered tells which; false too for what httpd_close cuts). Comes from
 * httpd_run or httpd_close only, never from within a reply. After it the
 * request must not be touched; until then replies to and sends on a request
 * whose client left are fine and go nowhere. */
typedef void httpd_ended(void *ctx, struct httpd_request *request,
                         bool answered);

/* Called when the headers of a request are in, before its body is read;
 * returns how many bytes the body may have. */
typedef size_t httpd_limit(void *ctx, const struct httpd_request *request);

struct httpd_options {
    const char *host;     /* numeric or a name; "" for all addresses */
    int port;             /* 0: a free one */
    size_t body_max;      /* for 413 */
    unsigned connections; /* most at once; more wait in the kernel's queue */
    httpd_handler *handle;
    httpd_ended *ended; /* may be NULL */
    void *ctx;
    httpd_limit *limit;            /* NULL: body_max for every request */
    const struct proxies *proxies; /* trusted (forwarded.h); borrowed; NULL:
                                      none */
    struct tls *tls;               /* borrowed; NULL: HTTP in the clear */
};

/* httpd_open binds and listens. Returns NULL with the reason in why. */
struct httpd *httpd_open(const struct httpd_options *options, char *why,
                         size_t size);

/* httpd_close answers nothing more: open requests are cut (after what was
 * already answered is flushed as far as it goes without waiting). Nulls. */
void httpd_close(struct httpd **httpd);

int httpd_port(const struct httpd *httpd);

/* httpd_fd becomes readable when httpd_run has work. */
int httpd_fd(const struct httpd *httpd);

/* httpd_run does all work that is ready, calling handlers. Call it whenever
 * httpd_fd is readable, after answering requests outside a handler, and when
 * httpd_wait says so. */
void httpd_run(struct httpd *httpd);

/* httpd_wait returns in how many ms httpd_run must be called at the latest;
 * -1: not until httpd_fd is readable. */
int64_t httpd_wait(const struct httpd *httpd);

/* httpd_refused tells how many requests no handler saw since it was last asked:
 * what this file refuses. */
uint64_t httpd_refused(struct httpd *httpd);

/* httpd_open_requests counts requests not yet answered (streams included). */
size_t httpd_open_requests(const struct httpd *httpd);

/* httpd_header returns a request header (name a constant, in any case) or
 * NULL; several lines of it as one, with commas between.
 * httpd_query a decoded query parameter ("" when it has no value) or NULL. */
const char *httpd_header(const struct httpd_request *request, const char *name);
const char *httpd_query(const struct httpd_request *request, const char *name);

struct httpd_answer {
    int status;
    const char *type; /* Content-Type; NULL: none */
    const char *body; /* copied */
    size_t len;
    const char *headers[18]; /* name, value, name, value, ..., NULL; copied */
};

/* httpd_reply answers a request, at once or later; exactly once each. */
void httpd_reply(struct httpd_request *request,
                 const struct httpd_answer *answer);

/* httpd_file answers with the bytes of a file by sendfile; takes fd. */
void httpd_file(struct httpd_request *request, const char *type, int fd,
                uint64_t size, const char *const *headers);

/* httpd_part answers 206 with n of them from offset on; the owner's headers say
 * which (Content-Range). */
void httpd_part(struct httpd_request *request, const char *type, int fd,
                uint64_t offset, uint64_t n, const char *const *headers);

/* httpd_stream answers 200 with a body that goes on until httpd_stream_end or
 * the client leaves (ended is called then). type e.g. "text/event-stream". */
void httpd_stream(struct httpd_request *request, const char *type,
                  const char *const *headers);

/* httpd_stream_send appends bytes (copied). Returns false, sending nothing,
 * when more than max_behind bytes would be waiting for this client. */
bool httpd_stream_send(struct httpd_request *request, const void *bytes,
                       size_t n, size_t max_behind);
void httpd_stream_end(struct httpd_request *request);

#endif
