/* SPDX-License-Identifier: Apache-2.0
 *
 * Redirects are followed by hand: libcurl's own way keeps a token where only
 * the port differs in old versions, and custom headers in all.
 */
#include "common/transfer/transfer.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/app/manifest.h"
#include "common/mem.h"

#define STALLED_S  60L
#define CONNECT_MS 10000L

void transfer_sum(const char *name, char ret[TRANSFER_SUM_SIZE])
{
    unsigned char sum[BLOB_NAME / 2];
    (void)sodium_hex2bin(sum, sizeof sum, name, BLOB_NAME, NULL, NULL, NULL);
    sodium_bin2base64(ret, TRANSFER_SUM_SIZE, sum, sizeof sum,
                      sodium_base64_VARIANT_ORIGINAL);
}

/* Where the last request was sent on to, owned; NULL: nowhere. */
static char *sent_on_to(CURL *curl)
{
    long status = 0;
    char *url = NULL;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &url);
    return status == 307 && url != NULL ? mem_text(url) : NULL;
}

/* A certificate is trusted there which the machine trusts, whatever the broker
 * was trusted by. */
static void trust_as_machine_does(CURL *curl)
{
    char *authorities = NULL;
    curl_easy_getinfo(curl, CURLINFO_CAINFO, &authorities);
    curl_easy_setopt(curl, CURLOPT_CAINFO, authorities);
    curl_easy_setopt(curl, CURLOPT_PINNEDPUBLICKEY, NULL);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
}

bool transfer_follow(CURL *curl)
{
    char *url = sent_on_to(curl);
    if (url == NULL)
        return false;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_NONE);
    curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, NULL);
    curl_easy_setopt(curl, CURLOPT_PROXY, NULL);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, NULL);
    trust_as_machine_does(curl);
    mem_free(url);
    return true;
}

void transfer_host(CURL *curl, char *ret, size_t size)
{
    char *url = NULL;
    curl_easy_getinfo(curl, CURLINFO_EFFECTIVE_URL, &url);
    const char *at = url == NULL ? NULL : strstr(url, "://");
    at = at == NULL ? "" : at + strlen("://");
    snprintf(ret, size, "%.*s", (int)strcspn(at, "/?"), at);
}

static size_t read_file(char *bytes, size_t size, size_t n, void *ctx)
{
    struct transfer *transfer = ctx;
    uint64_t left = transfer->size - transfer->sent;
    n = size * n < left ? size * n : (size_t)left;
    ssize_t got = pread(transfer->fd, bytes, n, (off_t)transfer->sent);
    if (got < 0 || (got == 0 && transfer->sent < transfer->size))
        return CURL_READFUNC_ABORT;
    transfer->sent += (uint64_t)got;
    return (size_t)got;
}

/* libcurl begins again where a kept connection was closed meanwhile. */
static int seek_file(void *ctx, curl_off_t offset, int origin)
{
    struct transfer *transfer = ctx;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > transfer->size)
        return CURL_SEEKFUNC_FAIL;
    transfer->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static size_t drop_body(char *bytes, size_t size, size_t n, void *ctx)
{
    (void)bytes;
    (void)ctx;
    return size * n;
}

static void set_put(CURL *curl, const char *url, struct transfer *transfer)
{
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, STALLED_S);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE,
                     (curl_off_t)transfer->size);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_file);
    curl_easy_setopt(curl, CURLOPT_READDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek_file);
    curl_easy_setopt(curl, CURLOPT_SEEKDATA, transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, transfer->why);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "frameq/" FRAMEQ_VERSION);
    if (transfer->step == NULL)
        return;
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, transfer->step);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, transfer->ctx);
}

long transfer_put(CURL *curl, struct transfer *transfer)
{
    char header[128], sum[TRANSFER_SUM_SIZE];
    char *url = sent_on_to(curl);
    long status = 0;
    transfer->sent = 0;
    snprintf(transfer->why, sizeof transfer->why, "sent on to nowhere");
    if (url == NULL)
        return 0;
    transfer_sum(transfer->name, sum);
    snprintf(header, sizeof header, TRANSFER_SUM_HEADER ": %s", sum);
    struct curl_slist *headers = curl_slist_append(NULL, header);
    set_put(curl, url, transfer);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    transfer->why[0] = '\0';
    CURLcode code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    else if (transfer->why[0] == '\0')
        snprintf(transfer->why, sizeof transfer->why, "%s",
                 curl_easy_strerror(code));
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
    curl_slist_free_all(headers);
    mem_free(url);
    return status;
}
