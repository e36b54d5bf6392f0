/* SPDX-License-Identifier: Apache-2.0
 *
 * A broker for tests of its HTTP face: the real core, middle and HTTP server
 * on a free port of the loopback; a ledger and a feed that do what the test
 * says (the seam is the linker: broker_world.c defines store_* and feed_*);
 * and clients, all driven from one thread. The broker's clock is the test's.
 */
#ifndef FRAMEQ_TESTS_UNIT_BROKER_WORLD_H
#define FRAMEQ_TESTS_UNIT_BROKER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "broker/broker_internal.h"
#include "broker/core/state.h"
#include "broker/people/http.h"
#include "common/limits.h"

#define WORLD_FACTS 64

struct world {
    struct core *core;
    struct broker *broker;
    struct http *http;
    int64_t now_ms;

    /* The ledger. */
    bool hold; /* commits nothing until it is false again */
    enum store_health health;
    const char *reason;
    struct frame_fact facts[WORLD_FACTS]; /* of whatever job is asked for */
    size_t n_facts;
    char data_dir[64];
    const char *backup_reason; /* why a copy fails; NULL: it does not */
    int backups;               /* asked for and answered */
    const char *file_reason;   /* why a file is not written; NULL: it is */
    int reads; /* store_frames asked for and answered, or forgotten */
    int forgotten;

    /* The activity. */
    char notes[WORLD_FACTS][LIMIT_REASON]; /* the last ones, in turn, as
                                              "what|who|job|agent|text" */
    size_t n_notes;
    size_t n_rows;               /* there are to read */
    struct activity_query asked; /* last; its texts may be gone */
};
extern struct world world;

#define WORLD_COPY "what a backup holds\n"

/* For cmocka_unit_test_setup_teardown. The broker has the tokens of a file
 * where a test names one, and its keys. */
extern const char *world_tokens;
extern struct keys *world_keys;
int world_setup(void **state);
int world_teardown(void **state);

/* world_turn is one turn of the loop. */
void world_turn(void);

/* world_publish adds an event to the feed. */
void world_publish(const char *type, const char *topic, const char *json);
/* world_forget drops events up to seq from the feed's ring. */
void world_forget(uint64_t seq);

/* An answer as it came. Owned by the caller: answer_free. */
struct got {
    int status;
    char *head; /* status line and headers */
    char *body;
    size_t len;
};

/* world_ask sends a request and turns until its answer is in. headers are
 * whole lines ("Accept: x\r\n") or "". body may be NULL. */
struct got world_ask(const char *method, const char *path, const char *headers,
                     const char *body);
void got_free(struct got *got);

/* got_header returns the value of a header, or NULL; valid until the next. */
const char *got_header(const struct got *got, const char *name);

/* world_json asks and returns the body as JSON, owned; asserts the status. */
json_t *world_json(const char *method, const char *path, const char *body,
                   int status);

/* The same in two steps: a descriptor; then its answer (and the descriptor is
 * closed). world_silent asserts that turns bring no byte. */
int world_send(const char *method, const char *path, const char *headers,
               const char *body);
struct got world_receive(int fd);
void world_silent(int fd);

/* world_leave cuts the connection as a killed client does, and turns until the
 * server has noticed that calls are gone but for `left`. */
void world_leave(int fd, size_t left);

/* world_read turns until text has come on fd (a stream); returns all so far,
 * owned by the caller (free). */
char *world_read(int fd, const char *text);

/* world_submit submits a job and returns its id; valid until the next. */
const char *world_submit(const char *body);

/* Agents. world_agent brings one up, with a lane; world_finish has it report
 * the next n frames of its only lease as done; world_fail has it report that
 * lease as failed. */
void world_agent(const char *name);
void world_finish(const char *name, int n);
void world_fail(const char *name, enum fault fault, const char *text);

#endif
