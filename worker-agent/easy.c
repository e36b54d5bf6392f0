/* SPDX-License-Identifier: Apache-2.0
 *
 * libcurl's easy handles, with our settings.
 */
#include "worker-agent/easy.h"

#include "worker-agent/trust.h"

#define CONNECT_MS 5000

static int look_up(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c,
                   curl_off_t d)
{
    const atomic_bool *stop = ctx;
    (void)a, (void)b, (void)c, (void)d;
    return *stop ? 1 : 0;
}

void easy_begin(CURL *curl, const struct easy_request *request)
{
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, request->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, request->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, request->stop);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "frameq-agent/" FRAMEQ_VERSION);
    if (request->trust != NULL)
        trust_set(request->trust, curl);
    if (request->token != NULL) {
        curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
        curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, request->token);
    }
}
