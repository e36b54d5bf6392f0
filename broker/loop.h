/* SPDX-License-Identifier: Apache-2.0
 *
 * The one loop of the broker: what is ready, in one order, with one `now` a
 * turn, until it is told to end.
 */
#ifndef FRAMEQ_BROKER_LOOP_H
#define FRAMEQ_BROKER_LOOP_H

#include "broker/agents/link.h"
#include "broker/agents/zap.h"
#include "broker/broker_internal.h"
#include "broker/hooks/hooks.h"
#include "broker/keep.h"
#include "broker/people/feed_internal.h"
#include "broker/people/http.h"

struct loop {
    struct broker *broker;
    struct zap *zap; /* NULL: sockets without keys */
    struct link *link;
    struct feed *feed;
    struct http *http;
    struct blobs *blobs;
    struct artifacts *artifacts;
    struct hooks *hooks;
    struct keep keep;
    struct tls *tls;          /* NULL: HTTP in the clear */
    int signal_fd;            /* SIGTERM, SIGINT; with tls SIGHUP */
    enum store_health health; /* of the ledger, as last told to the log */
};

/* loop_run reads the certificate anew at SIGHUP. It returns after SIGTERM or
 * SIGINT, once what is open was answered or LOOP_DRAIN_MS are over; at once at
 * a second one. It ends in the same way, with health STORE_BROKEN, when the
 * ledger is: nothing can be promised any more, and a restart goes on from what
 * is on disk. */
#define LOOP_DRAIN_MS 1500
void loop_run(struct loop *loop);

#endif
