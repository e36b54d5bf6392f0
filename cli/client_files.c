/* SPDX-License-Identifier: Apache-2.0
 *
 * Files to and from the broker, or the store it sends one on to. What is
 * fetched goes to a descriptor as it comes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/client_parts.h"
#include "common/limits.h"
#include "common/transfer/transfer.h"

#define PIECE_MS  120000 /* to send a piece and have it on disk */
#define STALLED_S 600    /* a file that does not get on is given up */

void client_head(struct client *client, const char *path, struct reply *ret)
{
    struct ask ask = {.method = "HEAD", .path = path};
    struct buf none;
    *ret = (struct reply){.offset = -1, .length = -1, .date_ms = -1};
    buf_init(&none, LIMIT_BODY);
    client_begin(client, &ask, NULL);
    curl_easy_setopt(client->curl, CURLOPT_NOBODY, 1L);
    client_perform(client, &none, ret, client_take_header, ret);
    curl_off_t length = -1;
    curl_easy_getinfo(client->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T,
                      &length);
    ret->length = length;
    if (ret->status >= 400)
        reply_explain(ret);
    buf_free(&none);
}

static struct curl_slist *piece_headers(const struct piece *piece)
{
    char line[128];
    struct curl_slist *list =
        curl_slist_append(NULL, "Accept: application/json");
    list = curl_slist_append(list, "Content-Type: application/octet-stream");
    list = curl_slist_append(list, "Expect:");
    snprintf(line, sizeof line,
             "Content-Range: bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
             piece->first, piece->first + piece->n - 1, piece->total);
    return piece->n == 0 ? list : curl_slist_append(list, line);
}

/* Sends what was begun with these headers, which are freed; reads the document
 * that answers it. */
static void perform_document(struct client *client, struct curl_slist *headers,
                             struct reply *ret)
{
    struct buf body;
    *ret = (struct reply){.offset = -1, .length = -1, .date_ms = -1};
    buf_init(&body, LIMIT_ANSWER);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    client_perform(client, &body, ret, client_take_header, ret);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    if (ret->status != 0)
        ret->json = json_loadb(buf_text(&body), body.len, 0, NULL);
    if (ret->status >= 400)
        reply_explain(ret);
    curl_slist_free_all(headers);
    buf_free(&body);
}

void client_put(struct client *client, const struct piece *piece,
                struct reply *ret)
{
    struct ask ask = {.method = "PUT", .path = piece->path};
    struct curl_slist *headers = piece_headers(piece);
    client_begin(client, &ask, NULL);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDS, piece->bytes);
    curl_easy_setopt(client->curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)piece->n);
    curl_easy_setopt(client->curl, CURLOPT_TIMEOUT_MS, (long)PIECE_MS);
    perform_document(client, headers, ret);
}

/* Asks where to put a file; true: there is an answer that says so. */
static bool ask_where(struct client *client, const char *path, uint64_t size,
                      struct reply *ret)
{
    struct ask ask = {.method = "PUT", .path = path};
    char line[128];
    snprintf(line, sizeof line, "Content-Range: bytes */%" PRIu64, size);
    struct curl_slist *headers = client_headers(&ask);
    headers = curl_slist_append(headers, line);
    client_begin(client, &ask, "");
    perform_document(client, headers, ret);
    return ret->status == 307;
}

bool client_put_stored(struct client *client, const char *path,
                       struct transfer *transfer, struct reply *ret)
{
    char host[128];
    if (!ask_where(client, path, transfer->size, ret))
        return ret->status == 201;
    long status = transfer_put(client->curl, transfer);
    transfer_host(client->curl, host, sizeof host);
    ret->status = (int)status;
    ret->stored = true;
    if (status == 0)
        snprintf(ret->why, sizeof ret->why, "the store at %.100s: %.120s", host,
                 transfer->why);
    else
        snprintf(ret->why, sizeof ret->why, "the store at %.100s answers %ld",
                 host, status);
    return status == 200;
}

struct fetching {
    struct client *client;
    struct fetch *fetch;
    struct buf refusal;
};

static bool is_file(CURL *curl, const struct fetch *fetch)
{
    long status = 0;
    char *type = NULL;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_CONTENT_TYPE, &type);
    return status == 200 && (fetch->type == NULL ||
                             (type != NULL && strcmp(type, fetch->type) == 0));
}

static size_t take_piece(char *bytes, size_t size, size_t n, void *ctx)
{
    struct fetching *fetching = ctx;
    struct fetch *fetch = fetching->fetch;
    if (!is_file(fetching->client->curl, fetch))
        return client_take_body(bytes, size, n, &fetching->refusal);
    for (size_t at = 0; at < size * n;) {
        ssize_t put = write(fetch->fd, bytes + at, size * n - at);
        if (put < 0 && errno != EINTR) {
            fetch->error = errno;
            return 0;
        }
        at += put < 0 ? 0 : (size_t)put;
    }
    fetch->bytes += (int64_t)(size * n);
    return size * n;
}

static int show_piece(void *ctx, curl_off_t all, curl_off_t got,
                      curl_off_t up_all, curl_off_t up)
{
    const struct fetching *fetching = ctx;
    (void)up_all;
    (void)up;
    fetching->fetch->step(fetching->fetch->ctx, got, all);
    return 0;
}

static void set_fetch(CURL *curl, struct fetching *fetching)
{
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_piece);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetching);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, show_piece);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetching);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 0L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)STALLED_S);
}

/* Performs it; true when the file came whole. */
static bool run_fetch(struct fetching *fetching, struct reply *ret)
{
    struct client *client = fetching->client;
    CURLcode code = curl_easy_perform(client->curl);
    bool stored = code == CURLE_OK && transfer_follow(client->curl);
    if (stored)
        code = curl_easy_perform(client->curl);
    long status = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    if (code == CURLE_OK && is_file(client->curl, fetching->fetch))
        return true;
    if (code != CURLE_OK) {
        reply_blame(client, code, ret);
        return false;
    }
    ret->status = (int)status;
    ret->json = json_loadb(buf_text(&fetching->refusal), fetching->refusal.len,
                           0, NULL);
    reply_explain(ret);
    if (stored) {
        char host[128];
        transfer_host(client->curl, host, sizeof host);
        snprintf(ret->why, sizeof ret->why, "the store at %.100s answers %ld",
                 host, status);
    }
    return false;
}

bool client_fetch(struct client *client, struct fetch *fetch, struct reply *ret)
{
    struct ask ask = {.method = "GET", .path = fetch->path};
    struct fetching fetching = {.client = client, .fetch = fetch};
    struct curl_slist *headers = client_headers(&ask);
    *ret = (struct reply){.offset = -1, .length = -1, .date_ms = -1};
    fetch->bytes = 0;
    fetch->error = 0;
    buf_init(&fetching.refusal, LIMIT_ANSWER);
    client_begin(client, &ask, NULL);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    set_fetch(client->curl, &fetching);
    client->error[0] = '\0';
    bool whole = run_fetch(&fetching, ret);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    buf_free(&fetching.refusal);
    return whole;
}
