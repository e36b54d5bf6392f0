/* SPDX-License-Identifier: Apache-2.0
 *
 * What the files client*.c share; nobody else includes it. client.c asks and
 * reads documents, client_files.c sends and fetches files.
 */
#ifndef FRAMEQ_CLI_CLIENT_PARTS_H
#define FRAMEQ_CLI_CLIENT_PARTS_H

#include <curl/curl.h>

#include "cli/client.h"

struct client {
    CURL *curl;
    char *url; /* without a slash at its end */
    char *host;
    char *token; /* NULL: none */
    char *ca;    /* NULL: what the machine trusts */
    bool clean;
    struct buf path;
    char error[CURL_ERROR_SIZE];
};

/* client_headers returns a request's headers, owned: curl_slist_free_all. */
struct curl_slist *client_headers(const struct ask *ask);

/* client_begin makes curl ready for a request; body (copied) or NULL. */
void client_begin(struct client *client, const struct ask *ask,
                  const char *body);

/* client_perform sends it and waits. What comes goes to body, each header to
 * take; status and why to reply. */
typedef size_t header_taker(char *line, size_t size, size_t n, void *ctx);
void client_perform(struct client *client, struct buf *body,
                    struct reply *reply, header_taker *take, void *ctx);

/* libcurl's callbacks: ctx is the struct reply, out the struct buf. */
size_t client_take_header(char *line, size_t size, size_t n, void *ctx);
size_t client_take_body(char *bytes, size_t size, size_t n, void *out);

/* reply_blame puts into reply->why what is in the way: nothing where nobody is
 * there. */
void reply_blame(const struct client *client, CURLcode code,
                 struct reply *reply);

/* reply_explain puts a refusal's own words into reply->why. */
void reply_explain(struct reply *reply);

#endif
