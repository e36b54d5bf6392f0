/* SPDX-License-Identifier: Apache-2.0
 *
 * What the parts of the HTTP face share. Only they include it.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_HTTP_STATE_H
#define FRAMEQ_BROKER_PEOPLE_HTTP_STATE_H

#include "broker/core/state.h"
#include "broker/files/gone.h"
#include "broker/people/guard.h"
#include "broker/people/http.h"
#include "broker/people/meter.h"
#include "common/http/site.h"

struct artifacts;
struct call;
struct key_change;
struct httpd;
struct live;
struct look;
struct stream;
struct tls;
struct wait;
struct wait_group;

struct http {
    struct broker *broker;
    struct feed *feed;
    struct httpd *httpd;
    struct guard guard;
    struct keys *keys; /* NULL: sockets without keys */
    struct tls *tls;   /* NULL: HTTP in the clear */
    struct site site;  /* names of Host headers */
    bool draining;
    bool stirred; /* answered since httpd ran: it has work */

    struct call *calls; /* list */
    size_t n_open;      /* of them, without an answer on its way */

    struct wait_group *waits; /* hash by job */
    struct wait *waiting;     /* list of all */
    int64_t wait_ms;          /* earliest deadline; may be early, never late */

    struct stream *streams; /* list */
    size_t n_streams;
    uint64_t fed;    /* last feed seq given to streams */
    int64_t beat_ms; /* when streams get their next heartbeat */

    bool backup;              /* one is under way */
    struct call *backup_call; /* who waits for it; NULL: left */

    struct key_change *key_changes; /* list */

    const struct hooks *hooks; /* NULL: no webhooks */
    struct blobs *blobs;       /* NULL: none are taken */
    int64_t keep_ms, sweep_ms; /* of them; when they are swept next */

    struct gone_list gone;       /* pictures */
    struct artifacts *artifacts; /* logs and thumbnails; NULL: none kept */
    struct live *lives;          /* list */
    size_t n_lives;
    struct look *looks; /* calls that wait for one of them */
    int64_t accuse_ms;  /* when the next of these may be told */
    struct movies *movies;

    struct meter meter;
};

#endif
