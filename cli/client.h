/* SPDX-License-Identifier: Apache-2.0
 *
 * Talking to the broker over HTTP. A verb is a one-shot program: what it
 * cannot go on without ends it, in one line on stderr and with the exit code
 * of the kind of failure.
 */
#ifndef FRAMEQ_CLI_CLIENT_H
#define FRAMEQ_CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"

/* The exit codes, a promise to scripts. */
enum exit_code {
    CLI_DONE = 0,
    CLI_FAILED = 1, /* the job failed or was cancelled; could not run */
    CLI_USAGE = 2,
    CLI_UNREACHABLE = 3,
    CLI_REFUSED = 4, /* unknown job, bad range, no right, full */
    CLI_INTERRUPTED = 130
};

struct client;

/* client_user returns the login name of who runs this, which the broker notes
 * beside what is asked for where the farm has no tokens; NULL: none that can
 * be sent. */
const char *client_user(void);

/* client_new makes a client of the broker at url. token: the secret it shows;
 * NULL: none. clean: control characters are taken out of all texts it reads,
 * for verbs that show them. */
struct client *client_new(const char *url, const char *token, bool clean);
void client_free(struct client **client);

/* client_trust names the file of certificates that an https broker's is held
 * against; NULL: those that the machine trusts. Copied. */
void client_trust(struct client *client, const char *ca);

const char *client_url(const struct client *client);

/* client_host returns the host of the url, without brackets. Borrowed. */
const char *client_host(const struct client *client);

/* client_path formats a path: %s is percent-encoded, %r put in as it is; there
 * is no other conversion. Borrowed until the next call. */
const char *client_path(struct client *client, const char *format, ...);

struct ask {
    const char *method;
    const char *path;
    const json_t *body; /* NULL: none */
    const char *key;    /* Idempotency-Key; NULL: none */
    const char *etag;   /* If-None-Match; NULL: none */
    int wait_s;         /* Prefer: wait; 0: none */
};

struct reply {
    int status;      /* 0: nobody answered; why says more, "" when nobody is
                        there */
    json_t *json;    /* NULL: none, or no JSON */
    char etag[80];   /* "" when there is none */
    int64_t offset;  /* Upload-Offset; -1 when there is none */
    bool stored;     /* Upload-Store is there: files go to a store */
    int64_t length;  /* of HEAD: Content-Length; -1 when there is none */
    int64_t date_ms; /* Date, since 1970; -1 when there is none */
    int64_t cert_until_s; /* when the broker's certificate expires, since 1970;
                             -1: not known, or none */
    bool distrusted;      /* nobody answered whose certificate is trusted */
    bool expired;         /* ... because its time is over */
    char why[256];        /* of a refusal: its detail, else its title */
};

/* client_ask sends one request and waits for the answer. Fills ret, which
 * reply_done releases. */
void client_ask(struct client *client, const struct ask *ask,
                struct reply *ret);
void reply_done(struct reply *reply);

/* A log, or what there is of it. */
struct log_reply {
    struct buf text;
    int64_t offset;   /* of its first byte in the log */
    bool live;        /* more may come */
    char lease[48];   /* of the attempt it is of */
    char attempt[24]; /* "2/3" of a whole one; "" */
};

/* client_log asks for a log, for wait_s seconds longer than for other things.
 * Returns true when it is there; else ret says why not, for client_end. Both
 * are to be released, with buf_free and reply_done. */
bool client_log(struct client *client, const char *path, int wait_s,
                struct log_reply *log, struct reply *ret);

/* client_head asks with HEAD. client_put sends n bytes (1 to LIMIT_BODY, or
 * none of an empty file) of a file of `total`, from `first` on. */
struct piece {
    const char *path;
    const void *bytes;
    size_t n;
    uint64_t first, total;
};
void client_head(struct client *client, const char *path, struct reply *ret);
void client_put(struct client *client, const struct piece *piece,
                struct reply *ret);

/* client_put_stored sends the file of transfer where the broker says that it is
 * to be put (Upload-Store). True: it is there; else ret says what stood in the
 * way, its member stored that this was the store and not the broker. */
struct transfer;
bool client_put_stored(struct client *client, const char *path,
                       struct transfer *transfer, struct reply *ret);

/* A file to be fetched into a descriptor as it comes. */
struct fetch {
    const char *path;
    const char *type; /* Content-Type that a broker sends with it; NULL: any */
    int fd;
    void (*step)(void *ctx, int64_t got, int64_t all); /* all: 0 not known */
    void *ctx;
    int64_t bytes; /* out: written */
    int error;     /* out: errno of a write that failed; 0 none */
};

/* client_fetch returns true when the file is in, whole. Else ret says what
 * stood in the way, for client_end; it is released in either case with
 * reply_done. */
bool client_fetch(struct client *client, struct fetch *fetch,
                  struct reply *ret);

/* client_is_broker tells whether reply is one of a frameq broker's: a 2xx or
 * 304, or a refusal as JSON. */
bool client_is_broker(const struct reply *reply);

/* client_end ends the program as reply demands: 3 when nobody or something
 * else than a broker answered, else 4 with the refusal's words. */
void client_end(const struct client *client, const struct reply *reply)
    __attribute__((noreturn));

/* client_get and client_send return the answer's JSON, owned (client_send:
 * null when it has none), or end the program. */
json_t *client_get(struct client *client, const char *path);

/* client_get_with is client_get of an object that has that member: what answers
 * without it is no frameq broker, and the program ends (exit 3). */
json_t *client_get_with(struct client *client, const char *path,
                        const char *member);
json_t *client_send(struct client *client, const char *method, const char *path,
                    const json_t *body);

/* client_list gets all pages of a list: path has a query already, and the
 * items of member `name` of every page are returned as one owned array of at
 * most `most` items. next is the query key that takes the page's `next`. */
json_t *client_list(struct client *client, const char *path, const char *name,
                    const char *next, size_t most);

#endif
