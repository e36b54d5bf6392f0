/* SPDX-License-Identifier: Apache-2.0
 *
 * A call: one HTTP request on its way through the broker, from its arrival
 * until its client is gone. It is answered at once; or, when the answer shows
 * anything of the core, behind the commit gate; or after a wait (wait.h) or a
 * read of the ledger. Whoever leaves early is forgotten without a trace.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_CALL_H
#define FRAMEQ_BROKER_PEOPLE_CALL_H

#include <jansson.h>

#include "broker/people/http_state.h"
#include "broker/people/route.h"
#include "common/app/fields.h"
#include "common/http/httpd.h"

enum call_stage {
    CALL_OPEN,  /* its handler runs, or it waits for something */
    CALL_GATED, /* answered; the answer waits for a commit */
    CALL_SENT,
    CALL_STREAM
};

#define ANSWER_HEADERS 8

struct answer {
    int status;
    const char *type; /* static; NULL: none */
    struct buf body;
    struct {
        const char *name; /* static */
        char *value;      /* owned */
    } headers[ANSWER_HEADERS];
    int n;
};

struct call {
    struct http *http;
    struct httpd_request *in;
    const struct route *route; /* NULL: none fits */
    struct route_params params;
    const struct token *token; /* whose it is; good while its handler runs;
                                  NULL: the farm has none, or anybody's */
    int64_t ends_ms;           /* its session does; INT64_MAX: it has none */
    char *body; /* a submit's, where its scene is an uploaded one: owned, in
                   the place of what came */
    enum call_stage stage;
    bool shows; /* looked into the core: the answer waits for the gate */
    struct answer answer;
    int64_t began_ms;

    /* While it waits: leave takes it off where it waits, drop releases work.
     * Both are called when its client goes first; either may be NULL. */
    void *work;
    void (*leave)(struct call *call);
    void (*drop)(void *work);

    struct call *prev, *next; /* all calls */
};

/* call_new begins a call. call_gone ends it wherever it stands. */
struct call *call_new(struct http *http, struct httpd_request *in);
void call_gone(struct call *call);

/* call_park keeps work until the call goes on; call_unpark ends that and
 * returns it, owned by the caller again. */
void call_park(struct call *call, void *work, void (*leave)(struct call *call),
               void (*drop)(void *work));
void *call_unpark(struct call *call);

/* call_who tells whose the call is: the token's user, else who the header
 * Frameq-User names (1 to LIMIT_NAME bytes), else the client's address.
 * Borrowed. */
const char *call_who(const struct call *call);

/* The core, for reading and for commands. Both send the answer through the
 * gate. call_do writes the refusal's reason to why (LIMIT_REASON bytes). */
const struct core *call_core(struct call *call);
enum rc call_do(struct call *call, const struct cmd *cmd, char *why);

/* call_command is call_do that answers a refusal itself and returns false. */
bool call_command(struct call *call, const struct cmd *cmd);

/* call_job returns the job of the first parameter; or answers 404, NULL. */
const struct job *call_job(struct call *call);

const char *call_header(const struct call *call, const char *name);
const char *call_query(const struct call *call, const char *name);

/* call_cursor reads the query parameter `cursor` into *ret, which keeps its
 * value when there is none; or answers 400, false. */
bool call_cursor(struct call *call, int64_t *ret);

/* call_number reads a query parameter as a whole number of low..high into
 * *ret, which keeps its value when there is none; or answers 400, false. */
bool call_number(struct call *call, const char *name, struct field_bounds b,
                 int64_t *ret);

/* call_takes_json answers 415, false, when the body is none that counts as
 * JSON. */
bool call_takes_json(struct call *call);

/* call_body reads the body as an object of those fields, owned; or answers 400
 * or 415, NULL. With empty, no body at all is an empty object. */
json_t *call_body(struct call *call, const struct field *fields, bool empty);

/* call_field_reason is the check of a field that says why, for people: as
 * field_text, but it may be empty. */
bool call_field_reason(const json_t *v, const void *unused, char *why,
                       size_t size);

/* call_wants_json tells whether errors go out as problem+json: always below
 * /v1, elsewhere where Accept prefers JSON. */
bool call_wants_json(const struct call *call);

/* call_read reads the facts of frames [lo, hi) of a job, ordinals; done is
 * called with the call as ctx, unless its client goes first. work, drop: as
 * call_park; done begins with call_unpark. */
struct call_reading {
    const char *job;
    struct range ordinals;
    store_frames_done *done;
};
void call_read(struct call *call, const struct call_reading *reading,
               void *work, void (*drop)(void *work));

#endif
