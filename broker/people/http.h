/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker's HTTP face: routes table -> command -> answer. It holds no
 * truth: what it shows it takes from the core (view.c) when it answers.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_HTTP_H
#define FRAMEQ_BROKER_PEOPLE_HTTP_H

#include <stddef.h>
#include <stdint.h>

#include "broker/broker.h"
#include "broker/files/blobs.h"
#include "broker/hooks/hooks.h"
#include "broker/people/feed.h"
#include "common/http/site.h"

struct artifacts;
struct http;
struct keys;
struct proxies;
struct tls;

struct http_options {
    const char *host;
    int port;            /* 0: a free one */
    const char *tokens;  /* file of tokens, borrowed; NULL: none */
    struct keys *keys;   /* of agents, borrowed; NULL: sockets without keys */
    struct hooks *hooks; /* webhooks, borrowed; NULL: none are sent */
    struct blobs *blobs; /* uploaded files, borrowed; NULL: takes none */
    struct artifacts *artifacts;   /* borrowed; NULL: keeps none */
    struct site site;              /* what it is known by; borrowed texts */
    struct tls *tls;               /* borrowed; NULL: HTTP in the clear */
    const struct proxies *proxies; /* that are trusted; borrowed; NULL: none */
    int64_t keep_ms; /* of those that no live job names; 0: for ever */
};

/* http_open binds host:port. NULL with the reason in why. */
struct http *http_open(struct broker *broker, struct feed *feed,
                       const struct http_options *options, char *why,
                       size_t size);
void http_close(struct http **http);
int http_port(const struct http *http);

/* For the loop: as httpd_fd, httpd_wait and httpd_run. http_run also ends
 * long polls and heartbeats that are due at now_ms. It takes commands, so it
 * runs once a turn, before broker_report; what is answered after it makes
 * http_wait return 0. */
int http_fd(const struct http *http);
int64_t http_wait(const struct http *http, int64_t now_ms);
void http_run(struct http *http, int64_t now_ms);

/* http_turned counts a turn of the loop for /metrics. */
void http_turned(struct http *http, int64_t ms);

/* http_drain ends streams and long polls; http_busy tells whether requests
 * are still open. */
void http_drain(struct http *http);
bool http_busy(const struct http *http);

#endif
