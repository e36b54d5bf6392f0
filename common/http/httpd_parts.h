/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files of the HTTP server share; nobody else includes it. httpd.c
 * owns the daemon and the loop's turn, gate.c connections before their first
 * request, peer.c those after it, request.c one request on a connection,
 * origin.c who sent it, stream.c an answer without an end, linger.c what is
 * read and dropped after an early answer, errors.c what libmicrohttpd is not to
 * answer; listen.c, target.c, head.c, chunks.c and refusal.c stand alone.
 */
#ifndef FRAMEQ_COMMON_HTTP_HTTPD_PARTS_H
#define FRAMEQ_COMMON_HTTP_HTTPD_PARTS_H

#include <microhttpd.h>
#include <netinet/in.h>

#include "common/app/net.h"
#include "common/buf.h"
#include "common/http/head.h"
#include "common/http/httpd.h"
#include "common/rc.h"

/* What an event of our epoll set is about: the first member of it. NULL is
 * libmicrohttpd's own epoll descriptor. */
struct watch {
    enum { WATCH_LISTENER, WATCH_NEWCOMER, WATCH_PEER, WATCH_LINGERER } kind;
};

/* A connection whose first request has not come. */
struct newcomer {
    struct watch watch;
    struct httpd *httpd;
    struct newcomer *prev, *next;
    int64_t since_ms;
    int64_t deadline_ms; /* when the head of a request must be in */
    int fd;
    bool has_spoken;
    struct sockaddr_storage address;
    socklen_t len;
};

/* A connection, from its first request until libmicrohttpd closes it. */
struct peer {
    struct watch watch;
    struct httpd *httpd;
    struct MHD_Connection *connection;
    struct request *request; /* NULL between two */
    struct peer *prev, *next;
    struct peer *prev_resting, *next_resting;
    char *target;        /* of the request line, as sent */
    int64_t deadline_ms; /* when a request must be in; 0: nothing is due */
    uint64_t stirred;    /* the turn in which something came from it */
    int fd;
    bool resting;     /* between two requests */
    bool dismissed;   /* told to end; it counts no more */
    bool half_closed; /* the client will send no more */
    bool gone;        /* it reads no more either */
    bool linger;      /* answered before its body was read */
    char address[INET6_ADDRSTRLEN];
};

struct request {
    struct httpd_request open; /* what the handler sees; first member */
    struct peer *peer;
    struct buf body;
    struct MHD_Response *response; /* made, not yet queued */
    int status;
    bool chunked;   /* its body comes in chunks, and has not ended */
    bool handled;   /* the handler has seen it */
    bool answered;  /* it has been given its answer */
    bool suspended; /* libmicrohttpd holds it until request_wake */
    bool queued;    /* its body is large, and others' turns come first */
    bool due;       /* it was queued, and its turn has come */
    struct request *prev, *next; /* in the queue */
    char client[NET_TEXT];       /* its address, as a proxy tells it */
    bool streams;
    bool stream_over;
    struct buf unsent;     /* of a stream */
    struct joined *joined; /* headers put together, owned */
};

struct lingerer {
    struct watch watch;
    struct lingerer *prev, *next;
    int64_t deadline_ms;
    size_t dropped;
    int fd;
};

struct httpd {
    struct httpd_options options;
    struct MHD_Daemon *daemon;
    struct watch listening;
    int listener;
    bool crowded; /* somebody may wait at the listener */
    struct newcomer *newcomers;
    struct peer *peers, *resting; /* resting: the longest first */
    size_t n_connections;         /* newcomers and peers */
    int64_t entering_ms;          /* deadline of who enters now */
    struct lingerer *lingerers;
    size_t n_lingerers;
    size_t open_requests;
    uint64_t refused;      /* since httpd_refused was called */
    struct request *large; /* whole, to be handled one a turn */
    bool had_large;        /* one was, this turn */
    uint64_t turn;
    int64_t now_ms;   /* read once a turn */
    int64_t swept_ms; /* when deadlines were last looked at */
    int epoll;
    int port;
    bool busy; /* there is work that no descriptor tells of */
};

/* gate_watch watches the listener (taken); gate_accept lets in who waits there
 * and tells whether anybody did, gate_event looks at what came, gate_sweep ends
 * what took too long. */
#define GATE_MS 100 /* so long even an idle one is safe from the next */
bool gate_watch(struct httpd *httpd, int listener);
bool gate_accept(struct httpd *httpd);
void gate_event(struct newcomer *newcomer, uint32_t events);
void gate_sweep(struct httpd *httpd);
void gate_done(struct httpd *httpd);

/* peer_notify, peer_target: libmicrohttpd's callbacks for connections and
 * request lines. */
void peer_notify(void *httpd, struct MHD_Connection *connection, void **context,
                 enum MHD_ConnectionNotificationCode code);
void *peer_target(void *httpd, const char *uri,
                  struct MHD_Connection *connection);
struct peer *peer_of(struct MHD_Connection *connection);

/* peer_rest ends a request on its connection: the next has the time that an
 * idle connection is kept and then that of a request. */
void peer_rest(struct peer *peer);

/* peer_dismiss ends a connection between two requests. peer_refuse answers in
 * libmicrohttpd's place, whose end of the connection must follow. */
void peer_dismiss(struct peer *peer);
void peer_refuse(struct peer *peer, enum rc rc, const char *detail);

/* peer_event takes the epoll events of a client that sent something or hung
 * up. */
void peer_event(struct peer *peer, uint32_t events);

/* peer_sweep cuts connections whose request is overdue. */
void peer_sweep(struct httpd *httpd);

/* request_look looks at n bytes that begin with a head of that length, before
 * libmicrohttpd does. */
void request_look(const char *bytes, size_t n, size_t len, struct head *ret);

/* request_step, request_done: libmicrohttpd's callbacks for the stages of a
 * request and its end. */
enum MHD_Result request_step(void *httpd, struct MHD_Connection *connection,
                             const char *url, const char *method,
                             const char *version, const char *data,
                             size_t *data_len, void **context);
void request_done(void *httpd, struct MHD_Connection *connection,
                  void **context, enum MHD_RequestTerminationCode code);

/* request_origin fills in who sent a request whose headers are in: peer, host,
 * secure, passed_on. */
void request_origin(struct request *request);

/* header_find returns a header (name a constant, in any case) or NULL; several
 * lines of it as one, with commas between. header_forget frees those. */
const char *header_find(struct request *request, const char *name);
void header_forget(struct request *request);

/* request_wake lets libmicrohttpd go on with a suspended request. */
void request_wake(struct request *request);

/* request_turn lets the first one in the queue of large bodies be handled. */
void request_turn(struct httpd *httpd);

/* request_answer gives a request its answer; takes response. headers are
 * name, value, ..., NULL; NULL for none. */
void request_answer(struct request *request, int status, const char *type,
                    struct MHD_Response *response, const char *const *headers);

/* linger_add reads and drops what comes on fd (taken), whose answer is out. */
void linger_add(struct httpd *httpd, int fd);
void linger_event(struct httpd *httpd, struct lingerer *lingerer);
void linger_sweep(struct httpd *httpd);
void linger_done(struct httpd *httpd);

/* listen_open binds a socket and listens. Returns it and its real port, or -1
 * with the reason in why. */
int listen_open(const struct httpd_options *options, int *ret_port, char *why,
                size_t size);

/* target_path decodes the path of a request target into path, which has room
 * for strlen(target) + 2 bytes, and looks at the query. Returns NULL or why it
 * is refused. */
const char *target_path(const char *target, char *path);

/* chunks_fault tells what is wrong with n bytes that a body in chunks begins
 * with; NULL: nothing so far. */
#define CHUNK_LINE_MAX 256 /* a size and its extension */
#define CHUNKS_BROKEN  "a body whose chunks are none"
const char *chunks_fault(const char *bytes, size_t n);

/* errors_hear is what libmicrohttpd logs to. */
void errors_hear(void *httpd, const char *format, va_list args);

#endif
