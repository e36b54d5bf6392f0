/* SPDX-License-Identifier: Apache-2.0
 *
 * The steps and their names are those of the AWS documents ("Authenticating
 * Requests: Using Query Parameters").
 */
#include "broker/files/s3_sign.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/buf.h"

#define TEXT_MOST  4096
#define SUM        crypto_auth_hmacsha256_BYTES
#define HEX_SIZE   (2 * SUM + 1)
#define SCOPE_SIZE 160

static void hmac(const void *key, size_t len, const char *text,
                 unsigned char ret[SUM])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, len);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text,
                                  strlen(text));
    crypto_auth_hmacsha256_final(&state, ret);
}

static void sign(const struct s3_key *key, const char *day, const char *text,
                 char ret[HEX_SIZE])
{
    char first[256];
    unsigned char sum[SUM];
    int n = snprintf(first, sizeof first, "AWS4%s", key->secret);
    hmac(first, (size_t)n, day, sum);
    hmac(sum, SUM, key->region, sum);
    hmac(sum, SUM, "s3", sum);
    hmac(sum, SUM, "aws4_request", sum);
    hmac(sum, SUM, text, sum);
    sodium_bin2hex(ret, HEX_SIZE, sum, SUM);
    sodium_memzero(first, sizeof first);
}

static void add_escaped(struct buf *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (; *text != '\0'; text++)
        buf_print(out, strchr(plain, *text) ? "%c" : "%%%02X",
                  (unsigned char)*text);
}

/* What the request is, as the store will put it together too. */
static void write_canonical(const struct s3_request *request,
                            const char *signed_headers, const char *query,
                            struct buf *out)
{
    buf_print(out, "%s\n%s\n%s\nhost:%s\n", request->method, request->path,
              query, request->host);
    if (request->header)
        buf_print(out, "%s\n", request->header);
    buf_print(out, "\n%s\nUNSIGNED-PAYLOAD", signed_headers);
}

static void write_query(const struct s3_key *key,
                        const struct s3_request *request, const char *scope,
                        const char *at, struct buf *out)
{
    buf_print(out, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
    add_escaped(out, key->id);
    add_escaped(out, "/");
    add_escaped(out, scope);
    buf_print(out, "&X-Amz-Date=%s&X-Amz-Expires=%d&X-Amz-SignedHeaders=host",
              at, request->expires_s);
    if (request->header)
        buf_print(out, "%%3B%.*s", (int)strcspn(request->header, ":"),
                  request->header);
}

static void hash_hex(const char *text, char ret[HEX_SIZE])
{
    unsigned char sum[SUM];
    crypto_hash_sha256(sum, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(ret, HEX_SIZE, sum, SUM);
}

char *s3_presign(const struct s3_key *key, const struct s3_request *request)
{
    char at[32], day[16], scope[SCOPE_SIZE], headers[128] = "host";
    char hash[HEX_SIZE], signature[HEX_SIZE], text[512];
    struct buf query, canonical;
    struct tm tm;
    time_t at_s = (time_t)(request->at_ms / 1000);
    gmtime_r(&at_s, &tm);
    strftime(at, sizeof at, "%Y%m%dT%H%M%SZ", &tm);
    strftime(day, sizeof day, "%Y%m%d", &tm);
    snprintf(scope, sizeof scope, "%s/%s/s3/aws4_request", day, key->region);
    if (request->header)
        snprintf(headers, sizeof headers, "host;%.*s",
                 (int)strcspn(request->header, ":"), request->header);
    buf_init(&query, TEXT_MOST);
    buf_init(&canonical, 2 * TEXT_MOST);
    write_query(key, request, scope, at, &query);
    write_canonical(request, headers, buf_text(&query), &canonical);
    hash_hex(buf_text(&canonical), hash);
    snprintf(text, sizeof text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", at, scope,
             hash);
    sign(key, day, text, signature);
    buf_clear(&canonical);
    buf_print(&canonical, "%s?%s&X-Amz-Signature=%s", request->path,
              buf_text(&query), signature);
    buf_free(&query);
    return buf_take(&canonical);
}
