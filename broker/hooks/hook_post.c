/* SPDX-License-Identifier: Apache-2.0
 *
 * One thread, one libcurl multi handle, two lists behind a mutex.
 */
#include "broker/hooks/hook_post.h"

#include <curl/curl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/table.h"

#define CONNECT_MS 5000L
#define POST_MS    10000L
#define POLL_MS    1000
#define HEADER_MAX (HOOK_ID_SIZE + 64)

struct hook_poster {
    const struct hook_gate *gate;
    unsigned char secret[HOOK_SECRET];
    CURLM *multi;
    pthread_t thread;
    pthread_mutex_t mutex;
    struct hook_post *given, *over; /* under the mutex */
    atomic_bool stop;
    struct transfer *transfers; /* the thread's own */
};

struct transfer {
    struct hook_poster *poster;
    struct hook_post *post;
    CURL *easy;
    struct curl_slist *headers;
    bool known;   /* its host is allowed by name */
    bool refused; /* an address of it was not */
    char error[CURL_ERROR_SIZE];
    struct transfer *prev, *next;
};

void hook_sign(const unsigned char secret[HOOK_SECRET], const char *id,
               int64_t seconds, const char *body, char ret[HOOK_SIGNATURE_SIZE])
{
    char head[HEADER_MAX];
    unsigned char hash[crypto_auth_hmacsha256_BYTES];
    crypto_auth_hmacsha256_state state;
    int n = snprintf(head, sizeof head, "%s.%" PRId64 ".", id, seconds);
    crypto_auth_hmacsha256_init(&state, secret, HOOK_SECRET);
    crypto_auth_hmacsha256_update(&state, (const void *)head, (size_t)n);
    crypto_auth_hmacsha256_update(&state, (const void *)body, strlen(body));
    crypto_auth_hmacsha256_final(&state, hash);
    snprintf(ret, HOOK_SIGNATURE_SIZE, "v1,");
    sodium_bin2base64(ret + 3, HOOK_SIGNATURE_SIZE - 3, hash, sizeof hash,
                      sodium_base64_VARIANT_ORIGINAL);
}

void hook_post_free(struct hook_post *post)
{
    mem_free(post->url);
    mem_free(post->body);
    mem_free(post);
}

/* --- The thread. --- */

/* The address is the one that is connected to next: nothing is looked up after
 * this. */
static curl_socket_t open_socket(void *ctx, curlsocktype purpose,
                                 struct curl_sockaddr *address)
{
    struct transfer *transfer = ctx;
    (void)purpose;
    if (!transfer->known &&
        !hook_gate_admits(transfer->poster->gate, &address->addr)) {
        transfer->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

/* The status is known by then; a body is of no use and may be endless. */
static size_t end_at_body(char *bytes, size_t size, size_t n, void *ctx)
{
    (void)bytes;
    (void)size;
    (void)n;
    (void)ctx;
    return 0;
}

static bool host_is_known(const struct hook_gate *gate, const char *url)
{
    char *host = NULL;
    CURLU *parsed = curl_url();
    bool known = curl_url_set(parsed, CURLUPART_URL, url, 0) == CURLUE_OK &&
                 curl_url_get(parsed, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
                 hook_gate_knows(gate, host);
    curl_free(host);
    curl_url_cleanup(parsed);
    return known;
}

static void add_header(struct transfer *transfer, const char *name,
                       const char *value)
{
    char line[HEADER_MAX];
    snprintf(line, sizeof line, "%s: %s", name, value);
    transfer->headers = curl_slist_append(transfer->headers, line);
}

static void add_headers(struct transfer *transfer)
{
    char seconds[32], signature[HOOK_SIGNATURE_SIZE];
    const struct hook_post *post = transfer->post;
    int64_t at = post->wall_ms / 1000;
    snprintf(seconds, sizeof seconds, "%" PRId64, at);
    hook_sign(transfer->poster->secret, post->id, at, post->body, signature);
    add_header(transfer, "Content-Type",
               "application/cloudevents+json; charset=utf-8");
    add_header(transfer, "webhook-id", post->id);
    add_header(transfer, "webhook-timestamp", seconds);
    add_header(transfer, "webhook-signature", signature);
    transfer->headers = curl_slist_append(transfer->headers, "Expect:");
}

static void set_limits(CURL *easy)
{
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS,
                     (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
    /* A name that is being looked up does not hold up the end. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, POST_MS);
}

static void set_up(struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    const struct hook_post *post = transfer->post;
    add_headers(transfer);
    set_limits(easy);
    curl_easy_setopt(easy, CURLOPT_URL, post->url);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post->body);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)strlen(post->body));
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "frameq/" FRAMEQ_VERSION);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, end_at_body);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
    curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
}

static void transfer_begin(struct hook_poster *poster, struct hook_post *post)
{
    struct transfer *transfer = mem_new(sizeof *transfer);
    transfer->poster = poster;
    transfer->post = post;
    transfer->known = host_is_known(poster->gate, post->url);
    transfer->easy = curl_easy_init();
    if (!transfer->easy)
        abort();
    set_up(transfer);
    DL_APPEND(poster->transfers, transfer);
    curl_multi_add_handle(poster->multi, transfer->easy);
}

static void transfer_end(struct transfer *transfer)
{
    struct hook_poster *poster = transfer->poster;
    DL_DELETE(poster->transfers, transfer);
    curl_multi_remove_handle(poster->multi, transfer->easy);
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    pthread_mutex_lock(&poster->mutex);
    DL_APPEND(poster->over, transfer->post);
    pthread_mutex_unlock(&poster->mutex);
    mem_free(transfer);
}

static void note_result(struct transfer *transfer, CURLcode code)
{
    long status = 0;
    struct hook_post *post = transfer->post;
    curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    post->status = (int)status;
    if (transfer->refused && status == 0)
        snprintf(post->why, sizeof post->why,
                 "the host has an address that webhooks do not go to; "
                 "--notify-allow lets them");
    else if (status == 0)
        snprintf(post->why, sizeof post->why, "%s",
                 transfer->error[0] ? transfer->error
                                    : curl_easy_strerror(code));
}

static void read_results(struct hook_poster *poster)
{
    int left;
    const CURLMsg *message;
    while ((message = curl_multi_info_read(poster->multi, &left))) {
        struct transfer *transfer = NULL;
        CURLcode code = message->data.result;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
        note_result(transfer, code);
        transfer_end(transfer);
    }
}

static struct hook_post *next_given(struct hook_poster *poster)
{
    pthread_mutex_lock(&poster->mutex);
    struct hook_post *post = poster->given;
    if (post)
        DL_DELETE(poster->given, post);
    pthread_mutex_unlock(&poster->mutex);
    return post;
}

static void *run(void *ctx)
{
    struct hook_poster *poster = ctx;
    struct hook_post *post;
    int running;
    while (!atomic_load(&poster->stop)) {
        while ((post = next_given(poster)))
            transfer_begin(poster, post);
        curl_multi_perform(poster->multi, &running);
        read_results(poster);
        curl_multi_poll(poster->multi, NULL, 0, POLL_MS, NULL);
    }
    while (poster->transfers)
        transfer_end(poster->transfers);
    return NULL;
}

/* --- The loop's side. --- */

struct hook_poster *hook_poster_open(const struct hook_gate *gate,
                                     const unsigned char secret[HOOK_SECRET])
{
    struct hook_poster *poster = mem_new(sizeof *poster);
    poster->gate = gate;
    memcpy(poster->secret, secret, HOOK_SECRET);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    poster->multi = curl_multi_init();
    if (!poster->multi)
        abort();
    pthread_mutex_init(&poster->mutex, NULL);
    if (pthread_create(&poster->thread, NULL, run, poster) != 0)
        abort();
    return poster;
}

void hook_poster_send(struct hook_poster *poster, struct hook_post *post)
{
    pthread_mutex_lock(&poster->mutex);
    DL_APPEND(poster->given, post);
    pthread_mutex_unlock(&poster->mutex);
    curl_multi_wakeup(poster->multi);
}

struct hook_post *hook_poster_take(struct hook_poster *poster)
{
    pthread_mutex_lock(&poster->mutex);
    struct hook_post *post = poster->over;
    if (post)
        DL_DELETE(poster->over, post);
    pthread_mutex_unlock(&poster->mutex);
    return post;
}

static void free_posts(struct hook_post *posts)
{
    struct hook_post *post, *next;
    DL_FOREACH_SAFE (posts, post, next)
        hook_post_free(post);
}

void hook_poster_close(struct hook_poster **poster_ref)
{
    struct hook_poster *poster = *poster_ref;
    if (!poster)
        return;
    atomic_store(&poster->stop, true);
    curl_multi_wakeup(poster->multi);
    pthread_join(poster->thread, NULL);
    curl_multi_cleanup(poster->multi);
    free_posts(poster->given);
    free_posts(poster->over);
    pthread_mutex_destroy(&poster->mutex);
    mem_free(poster);
    *poster_ref = NULL;
}
