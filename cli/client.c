/* SPDX-License-Identifier: Apache-2.0
 *
 * Talking to the broker over HTTP with libcurl's easy interface.
 */
#include "cli/client.h"

#include <ctype.h>
#include <curl/curl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/client_parts.h"
#include "cli/doc.h"
#include "common/app/log.h"
#include "common/app/net.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/text.h"

#define CONNECT_MS 5000
#define ANSWER_MS  30000 /* beyond what Prefer: wait asks for */
#define PATH_MOST  (64 * 1024)

static char *host_of(const char *url)
{
    char *host = NULL, *part = NULL;
    CURLU *parts = curl_url();
    if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &part, 0) == CURLUE_OK) {
        size_t len = strlen(part);
        bool brackets = part[0] == '[' && part[len - 1] == ']';
        host = mem_text(brackets ? part + 1 : part);
        if (brackets)
            host[len - 2] = '\0';
    }
    curl_free(part);
    curl_url_cleanup(parts);
    return host == NULL ? mem_text("") : host;
}

struct client *client_new(const char *url, const char *token, bool clean)
{
    struct client *client = mem_new(sizeof *client);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    client->curl = curl_easy_init();
    if (client->curl == NULL)
        log_fatal(CLI_FAILED, "libcurl does not start");
    client->url = mem_text(url);
    size_t len = strlen(url);
    while (len > 0 && url[len - 1] == '/')
        client->url[--len] = '\0';
    client->host = host_of(url);
    client->token = token == NULL ? NULL : mem_text(token);
    client->clean = clean;
    buf_init(&client->path, PATH_MOST);
    return client;
}

void client_free(struct client **client)
{
    if (*client == NULL)
        return;
    curl_easy_cleanup((*client)->curl);
    curl_global_cleanup();
    buf_free(&(*client)->path);
    mem_free((*client)->url);
    mem_free((*client)->host);
    mem_free((*client)->token);
    mem_free((*client)->ca);
    mem_free(*client);
    *client = NULL;
}

void client_trust(struct client *client, const char *ca)
{
    mem_free(client->ca);
    client->ca = ca == NULL ? NULL : mem_text(ca);
}

const char *client_url(const struct client *client)
{
    return client->url;
}

const char *client_host(const struct client *client)
{
    return client->host;
}

static void escape(const char *text, struct buf *out)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text != '\0'; text++)
        if (strchr(plain, *text) != NULL)
            buf_add(out, text, 1);
        else
            buf_print(out, "%%%02X", (unsigned char)*text);
}

const char *client_path(struct client *client, const char *format, ...)
{
    struct buf path; /* apart from client->path, which an argument may be */
    buf_init(&path, PATH_MOST);
    va_list args;
    va_start(args, format);
    for (const char *at = format; *at != '\0'; at++)
        if (at[0] != '%')
            buf_add(&path, at, 1);
        else if (*++at == 's')
            escape(va_arg(args, const char *), &path);
        else
            buf_print(&path, "%s", va_arg(args, const char *));
    va_end(args);
    buf_free(&client->path);
    client->path = path;
    return buf_text(&client->path);
}

size_t client_take_body(char *bytes, size_t size, size_t n, void *out)
{
    return buf_add(out, bytes, size * n) ? size * n : 0;
}

/* Whether a header line (not ended by NUL) is of that name, "name:". */
static bool is_header(const char *line, size_t len, const char *name)
{
    return len > strlen(name) && strncasecmp(line, name, strlen(name)) == 0;
}

/* n bytes, not ended by NUL, as RFC 9110 writes a date. */
static int64_t date_read(const char *text, size_t n)
{
    char date[64];
    snprintf(date, sizeof date, "%.*s", (int)n, text);
    time_t at = curl_getdate(date, NULL);
    return at < 0 ? -1 : (int64_t)at * 1000;
}

size_t client_take_header(char *line, size_t size, size_t n, void *ctx)
{
    struct reply *reply = ctx;
    size_t len = size * n, name = strlen("etag:");
    if (is_header(line, len, "upload-offset:"))
        reply->offset = strtoll(line + strlen("upload-offset:"), NULL, 10);
    if (is_header(line, len, "upload-store:"))
        reply->stored = true;
    if (is_header(line, len, "date:"))
        reply->date_ms =
            date_read(line + strlen("date:"), len - strlen("date:"));
    if (!is_header(line, len, "etag:"))
        return len;
    const char *value = line + name, *end = line + len;
    while (value < end && *value == ' ')
        value++;
    while (end > value && (end[-1] == '\r' || end[-1] == '\n'))
        end--;
    if ((size_t)(end - value) < sizeof reply->etag)
        snprintf(reply->etag, sizeof reply->etag, "%.*s", (int)(end - value),
                 value);
    return len;
}

const char *client_user(void)
{
    const struct passwd *who = getpwuid(getuid());
    const char *name = who != NULL ? who->pw_name : getenv("USER");
    if (name == NULL || *name == '\0' || strlen(name) > LIMIT_NAME)
        return NULL;
    for (const char *at = name; *at != '\0'; at++)
        if (!isprint((unsigned char)*at))
            return NULL;
    return name;
}

struct curl_slist *client_headers(const struct ask *ask)
{
    char line[LIMIT_KEY + 32];
    struct curl_slist *list =
        curl_slist_append(NULL, "Accept: application/json");
    if (ask->body != NULL)
        list = curl_slist_append(list, "Content-Type: application/json");
    if (ask->key != NULL) {
        snprintf(line, sizeof line, "Idempotency-Key: %s", ask->key);
        list = curl_slist_append(list, line);
    }
    if (strcmp(ask->method, "GET") != 0 && client_user() != NULL) {
        snprintf(line, sizeof line, "Frameq-User: %s", client_user());
        list = curl_slist_append(list, line);
    }
    if (ask->etag != NULL && *ask->etag != '\0') {
        snprintf(line, sizeof line, "If-None-Match: %s", ask->etag);
        list = curl_slist_append(list, line);
    }
    if (ask->wait_s > 0) {
        snprintf(line, sizeof line, "Prefer: wait=%d", ask->wait_s);
        list = curl_slist_append(list, line);
    }
    return list;
}

void client_begin(struct client *client, const struct ask *ask,
                  const char *body)
{
    CURL *curl = client->curl;
    char *url = mem_new(strlen(client->url) + strlen(ask->path) + 1);
    memcpy(url, client->url, strlen(client->url));
    memcpy(url + strlen(client->url), ask->path, strlen(ask->path) + 1);
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, ask->method);
    if (body != NULL)
        curl_easy_setopt(curl, CURLOPT_COPYPOSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, ANSWER_MS + ask->wait_s * 1000L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, client->error);
    curl_easy_setopt(curl, CURLOPT_CERTINFO, 1L);
    if (client->token != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, client->token);
    }
    if (client->ca != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, client->ca);
    if (net_is_loopback(client->host)) /* http_proxy is not meant for these */
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    mem_free(url);
}

void reply_explain(struct reply *reply)
{
    const char *detail = doc_text(reply->json, "detail");
    if (*detail == '\0')
        detail = doc_text(reply->json, "title");
    if (*detail != '\0')
        text_excerpt(detail, strlen(detail), reply->why, sizeof reply->why);
    else
        snprintf(reply->why, sizeof reply->why, "the broker answered %d",
                 reply->status);
}

void reply_blame(const struct client *client, CURLcode code,
                 struct reply *reply)
{
    const char *words =
        *client->error != '\0' ? client->error : curl_easy_strerror(code);
    if (code == CURLE_COULDNT_CONNECT)
        return;
    reply->distrusted = code == CURLE_PEER_FAILED_VERIFICATION;
    reply->expired = reply->distrusted && strstr(words, "expired") != NULL;
    if (reply->expired)
        snprintf(reply->why, sizeof reply->why,
                 "its certificate has expired; it is to be renewed there");
    else if (reply->distrusted)
        snprintf(reply->why, sizeof reply->why,
                 "its certificate is not trusted: %.120s; --ca FILE names one "
                 "to trust",
                 words);
    else
        snprintf(reply->why, sizeof reply->why, "%s", words);
}

/* The server's own certificate comes first; those behind it live longer. */
static int64_t cert_until_s(CURL *curl)
{
    static const char name[] = "Expire date:";
    struct curl_certinfo *info = NULL;
    if (curl_easy_getinfo(curl, CURLINFO_CERTINFO, &info) != CURLE_OK ||
        info == NULL || info->num_of_certs < 1)
        return -1;
    for (const struct curl_slist *at = info->certinfo[0]; at; at = at->next)
        if (strncmp(at->data, name, strlen(name)) == 0)
            return (int64_t)curl_getdate(at->data + strlen(name), NULL);
    return -1;
}

void client_perform(struct client *client, struct buf *body,
                    struct reply *reply, header_taker *take, void *ctx)
{
    curl_easy_setopt(client->curl, CURLOPT_WRITEFUNCTION, client_take_body);
    curl_easy_setopt(client->curl, CURLOPT_WRITEDATA, body);
    curl_easy_setopt(client->curl, CURLOPT_HEADERFUNCTION, take);
    curl_easy_setopt(client->curl, CURLOPT_HEADERDATA, ctx);
    client->error[0] = '\0';
    CURLcode code = curl_easy_perform(client->curl);
    long status = 0;
    curl_easy_getinfo(client->curl, CURLINFO_RESPONSE_CODE, &status);
    reply->status = code == CURLE_OK ? (int)status : 0;
    reply->cert_until_s = cert_until_s(client->curl);
    if (code != CURLE_OK)
        reply_blame(client, code, reply);
}

void client_ask(struct client *client, const struct ask *ask, struct reply *ret)
{
    struct buf body;
    char *text = ask->body == NULL ? NULL : json_dumps(ask->body, JSON_COMPACT);
    struct curl_slist *headers = client_headers(ask);
    *ret = (struct reply){.offset = -1, .length = -1, .date_ms = -1};
    buf_init(&body, LIMIT_ANSWER);
    client_begin(client, ask, text);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    client_perform(client, &body, ret, client_take_header, ret);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    if (ret->status != 0)
        ret->json = json_loadb(buf_text(&body), body.len, 0, NULL);
    if (client->clean)
        doc_clean(ret->json);
    if (ret->status >= 400)
        reply_explain(ret);
    curl_slist_free_all(headers);
    buf_free(&body);
    free(text); /* jansson's */
}

/* --- Logs. --- */

/* Copies what stands behind a header's name, without blanks. */
static void header_copy(const char *line, size_t len, const char *name,
                        char *ret, size_t size)
{
    const char *at = line + strlen(name), *end = line + len;
    if (!is_header(line, len, name))
        return;
    while (at < end && *at == ' ')
        at++;
    while (end > at && (end[-1] == '\r' || end[-1] == '\n'))
        end--;
    snprintf(ret, size, "%.*s", (int)(end - at), at);
}

static size_t take_log_header(char *line, size_t size, size_t n, void *ctx)
{
    struct log_reply *log = ctx;
    size_t len = size * n;
    char offset[24] = "", state[16] = "";
    header_copy(line, len, "log-lease:", log->lease, sizeof log->lease);
    header_copy(line, len, "log-attempt:", log->attempt, sizeof log->attempt);
    header_copy(line, len, "log-offset:", offset, sizeof offset);
    header_copy(line, len, "log-state:", state, sizeof state);
    if (*offset != '\0')
        log->offset = strtoll(offset, NULL, 10);
    log->live = log->live || strcmp(state, "live") == 0;
    return len;
}

bool client_log(struct client *client, const char *path, int wait_s,
                struct log_reply *log, struct reply *ret)
{
    struct ask ask = {.method = "GET", .path = path, .wait_s = wait_s};
    struct curl_slist *headers =
        curl_slist_append(NULL, "Accept: text/plain, application/json");
    *ret = (struct reply){.offset = -1, .length = -1, .date_ms = -1};
    *log = (struct log_reply){0};
    buf_init(&log->text, LIMIT_ANSWER);
    client_begin(client, &ask, NULL);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, headers);
    client_perform(client, &log->text, ret, take_log_header, log);
    curl_easy_setopt(client->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    if (ret->status == 200 && *log->lease != '\0')
        return true;
    ret->json = json_loadb(buf_text(&log->text), log->text.len, 0, NULL);
    if (ret->status >= 400)
        reply_explain(ret);
    return false;
}

void reply_done(struct reply *reply)
{
    json_decref(reply->json);
    reply->json = NULL;
}

bool client_is_broker(const struct reply *reply)
{
    if (reply->status == 204 || reply->status == 304)
        return true;
    return reply->status >= 200 && json_is_object(reply->json);
}

__attribute__((noreturn)) static void end_stranger(const struct client *client)
{
    log_fatal(CLI_UNREACHABLE,
              "what answers at %s is no frameq broker: name yours with "
              "--broker",
              client->url);
}

void client_end(const struct client *client, const struct reply *reply)
{
    if (reply->status == 0)
        log_fatal(CLI_UNREACHABLE,
                  "no broker answers at %s: start one with `frameq dev` or "
                  "name it with --broker%s%s%s",
                  client->url, *reply->why != '\0' ? " (" : "", reply->why,
                  *reply->why != '\0' ? ")" : "");
    if (!client_is_broker(reply))
        end_stranger(client);
    log_fatal(CLI_REFUSED, "%s", reply->why);
}

json_t *client_send(struct client *client, const char *method, const char *path,
                    const json_t *body)
{
    struct ask ask = {.method = method, .path = path, .body = body};
    struct reply reply;
    client_ask(client, &ask, &reply);
    if (reply.status < 200 || reply.status >= 300 || !client_is_broker(&reply))
        client_end(client, &reply);
    return reply.json == NULL ? json_null() : reply.json;
}

json_t *client_get(struct client *client, const char *path)
{
    return client_send(client, "GET", path, NULL);
}

json_t *client_get_with(struct client *client, const char *path,
                        const char *member)
{
    json_t *answer = client_get(client, path);
    if (json_object_get(answer, member) == NULL)
        end_stranger(client);
    return answer;
}

/* The value of `next` as a query value; "" ends the list. */
static const char *next_text(const json_t *page, char *ret, size_t size)
{
    const json_t *next = json_object_get(page, "next");
    if (json_is_string(next))
        return json_string_value(next);
    ret[0] = '\0';
    if (json_is_integer(next))
        snprintf(ret, size, "%" JSON_INTEGER_FORMAT, json_integer_value(next));
    return ret;
}

static json_t *page_get(struct client *client, const char *path,
                        const char *name, const char *next, const char *cursor)
{
    struct buf query;
    buf_init(&query, PATH_MOST);
    buf_print(&query, "%s", path);
    if (*cursor != '\0') {
        buf_print(&query, "&%s=", next);
        escape(cursor, &query);
    }
    json_t *page = client_get_with(client, buf_text(&query), name);
    buf_free(&query);
    return page;
}

json_t *client_list(struct client *client, const char *path, const char *name,
                    const char *next, size_t most)
{
    char number[32];
    json_t *all = json_array(), *page = page_get(client, path, name, next, "");
    for (;;) {
        json_array_extend(all, json_object_get(page, name));
        const char *cursor = next_text(page, number, sizeof number);
        if (*cursor == '\0' || json_array_size(all) >= most)
            break;
        json_t *following = page_get(client, path, name, next, cursor);
        json_decref(page);
        page = following;
    }
    json_decref(page);
    while (json_array_size(all) > most)
        json_array_remove(all, json_array_size(all) - 1);
    return all;
}
