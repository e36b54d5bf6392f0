/* SPDX-License-Identifier: Apache-2.0
 *
 * A store that a broker sends its clients on to gets no token, and is not
 * trusted by what the broker is trusted by: a file of certificates or the pin
 * of a join string. Here the store has the broker's very certificate, so that
 * only what trusts it tells them apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/clock.h"
#include "common/http/httpd.h"
#include "common/http/tls.h"
#include "common/transfer/transfer.h"
#include "tests/unit/own_cert.h"
#include "worker-agent/trust.h"

#define PATIENCE_MS 20000

static struct {
    char dir[32], cert[64], key[64], location[64];
    struct tls *tls;
    struct httpd *httpd;
    CURLM *multi; /* one, so that a connection could be used again */
    CURL *curl;
    int brokers, stores, tokens; /* requests; those to the store that have one
                                  */
} own;

static void handle(void *ctx, struct httpd_request *request)
{
    bool broker = strcmp(request->path, "/broker") == 0;
    struct httpd_answer answer = {.status = broker ? 307 : 200, .body = ""};
    (void)ctx;
    if (broker) {
        answer.headers[0] = "Location";
        answer.headers[1] = own.location;
        own.brokers++;
    } else {
        own.stores++;
        own.tokens += httpd_header(request, "Authorization") != NULL;
    }
    httpd_reply(request, &answer);
}

static void serve(bool secure)
{
    char why[512];
    const struct cert_files files = {own.cert, own.key};
    own.tls = secure ? tls_open(&files, why, sizeof why) : NULL;
    assert_true(!secure || own.tls != NULL);
    const struct httpd_options options = {.host = "127.0.0.1",
                                          .connections = 10,
                                          .handle = handle,
                                          .tls = own.tls};
    own.httpd = httpd_open(&options, why, sizeof why);
    assert_non_null(own.httpd);
    snprintf(own.location, sizeof own.location, "%s://127.0.0.1:%d/store",
             secure ? "https" : "http", httpd_port(own.httpd));
    own.brokers = own.stores = own.tokens = 0;
    own.multi = curl_multi_init();
    own.curl = curl_easy_init();
}

/* The server runs in between. */
static CURLcode perform(void)
{
    int running = 1, left;
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    struct curl_waitfd server = {httpd_fd(own.httpd), CURL_WAIT_POLLIN, 0};
    curl_multi_add_handle(own.multi, own.curl);
    for (;;) {
        curl_multi_perform(own.multi, &running);
        if (running == 0)
            break;
        assert_true(clock_monotonic_ms() < until_ms);
        int64_t wait_ms = httpd_wait(own.httpd);
        if (wait_ms < 0 || wait_ms > PATIENCE_MS)
            wait_ms = PATIENCE_MS;
        curl_multi_poll(own.multi, &server, 1, (int)wait_ms, NULL);
        httpd_run(own.httpd);
    }
    CURLcode code = curl_multi_info_read(own.multi, &left)->data.result;
    curl_multi_remove_handle(own.multi, own.curl);
    return code;
}

/* Asks the broker, with a token, and is sent on. */
static void ask_broker(const struct trust *trust)
{
    char url[64];
    snprintf(url, sizeof url, "%.*s/broker",
             (int)(strlen(own.location) - strlen("/store")), own.location);
    curl_easy_setopt(own.curl, CURLOPT_URL, url);
    curl_easy_setopt(own.curl, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(own.curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
    curl_easy_setopt(own.curl, CURLOPT_XOAUTH2_BEARER, "fq_secret");
    trust_set(trust, own.curl);
    assert_int_equal(perform(), CURLE_OK);
    assert_int_equal(own.brokers, 1);
    assert_true(transfer_follow(own.curl));
}

static void a_store_gets_no_token(void **state)
{
    (void)state;
    const struct trust trust = {0};
    serve(false);
    ask_broker(&trust);
    assert_int_equal(perform(), CURLE_OK);
    assert_int_equal(own.stores, 1);
    assert_int_equal(own.tokens, 0);
    assert_false(transfer_follow(own.curl)); /* it sends nowhere */
}

static void a_file_is_for_the_broker_alone(void **state)
{
    (void)state;
    struct trust trust;
    serve(true);
    trust_fill(&trust, own.cert, NULL);
    ask_broker(&trust);
    assert_int_equal(perform(), CURLE_PEER_FAILED_VERIFICATION);
    assert_int_equal(own.stores, 0);
}

static void a_pin_is_for_the_broker_alone(void **state)
{
    (void)state;
    struct trust trust;
    struct join join = {.pinned = true};
    serve(true);
    memcpy(join.pin, tls_pin(own.tls), sizeof join.pin);
    trust_fill(&trust, NULL, &join);
    ask_broker(&trust);
    assert_int_equal(perform(), CURLE_PEER_FAILED_VERIFICATION);
    assert_int_equal(own.stores, 0);
}

static int stop(void **state)
{
    (void)state;
    curl_easy_cleanup(own.curl);
    curl_multi_cleanup(own.multi);
    httpd_close(&own.httpd);
    tls_close(&own.tls);
    return 0;
}

static int files_open(void **state)
{
    (void)state;
    snprintf(own.dir, sizeof own.dir, "/tmp/frameq-store-XXXXXX");
    assert_non_null(mkdtemp(own.dir));
    snprintf(own.cert, sizeof own.cert, "%s/cert", own.dir);
    snprintf(own.key, sizeof own.key, "%s/key", own.dir);
    struct own_cert made = own_cert_make();
    own_cert_write(own.cert, "", 0, &made.cert);
    own_cert_write(own.key, "", 0, &made.key);
    own_cert_free(&made);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return 0;
}

static int files_close(void **state)
{
    (void)state;
    curl_global_cleanup();
    unlink(own.cert);
    unlink(own.key);
    rmdir(own.dir);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_store_gets_no_token, stop),
        cmocka_unit_test_teardown(a_file_is_for_the_broker_alone, stop),
        cmocka_unit_test_teardown(a_pin_is_for_the_broker_alone, stop),
    };
    return cmocka_run_group_tests(tests, files_open, files_close);
}
