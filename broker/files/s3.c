/* SPDX-License-Identifier: Apache-2.0
 *
 * One libcurl handle; every request is a presigned URL, signed here, so that
 * there is one way to sign. Addresses have the bucket in their path: the only
 * form that all stores know.
 */
#include "broker/files/s3.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "broker/files/s3_sign.h"
#include "common/app/clock.h"
#include "common/app/conf.h"
#include "common/app/log.h"
#include "common/app/manifest.h"
#include "common/mem.h"
#include "common/transfer/transfer.h"

#define SCHEME      "s3://"
#define CONNECT_MS  5000L
#define BUCKET_MOST 63
#define PREFIX_MOST 200
#define TEXT_MOST   200 /* of what comes from the environment */
#define WHY_SIZE    512

struct s3 {
    char *place;      /* as it was given, for people */
    char *origin;     /* https://host[:port] */
    const char *host; /* within it */
    char *path;       /* "/BUCKET/PREFIX/" */
    char *id, *secret, *region;
    atomic_bool stop;
    CURL *curl;                  /* the thread's, as is what follows */
    bool ailing;                 /* it was told that it does not answer */
    char sum[TRANSFER_SUM_SIZE]; /* of the object in question, as it says */
};

/* --- Settings. --- */

static const char lower[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char bucket_set[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
static const char prefix_set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789._/-";

const char *s3_is_place(const char *value)
{
    const char *bucket = value + strlen(SCHEME);
    if (strncmp(value, SCHEME, strlen(SCHEME)) != 0)
        return "must be s3://BUCKET or s3://BUCKET/PREFIX";
    size_t n = strcspn(bucket, "/");
    if (n < 3 || n > BUCKET_MOST || strspn(bucket, bucket_set) < n ||
        strspn(bucket, lower) == 0)
        return "must name a bucket of 3 to 63 of a-z, 0-9, `.` and `-`";
    const char *prefix = bucket + n;
    if (strlen(prefix) > PREFIX_MOST ||
        prefix[strspn(prefix, prefix_set)] != '\0' || strstr(prefix, "//") ||
        strstr(prefix, "/."))
        return "must have a prefix of at most 200 of A-Z, a-z, 0-9, `.`, `_`, "
               "`-` and `/`, no part of it empty or with `.` first";
    return NULL;
}

static char *path_of(const char *place)
{
    char path[BUCKET_MOST + PREFIX_MOST + 3];
    int n = snprintf(path, sizeof path, "/%s", place + strlen(SCHEME));
    if (path[n - 1] != '/')
        snprintf(path + n, sizeof path - (size_t)n, "/");
    return mem_text(path);
}

/* What other S3 tools read too. */
static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static const char *env_key(const char *name, char *why, size_t size)
{
    const char *value = env(name);
    if (!value)
        snprintf(why, size, "%s is not set: --store needs the keys", name);
    else if (strlen(value) > TEXT_MOST)
        snprintf(why, size, "%s is too long", name);
    else
        return value;
    return NULL;
}

/* A default port is not part of the header Host, and so not signed. */
static char *origin_of(const char *url)
{
    char *origin = NULL, *scheme = NULL, *host = NULL, *port = NULL;
    CURLU *parts = curl_url();
    if (curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        char text[2 * TEXT_MOST];
        bool apart = curl_url_get(parts, CURLUPART_PORT, &port,
                                  CURLU_NO_DEFAULT_PORT) == CURLUE_OK;
        snprintf(text, sizeof text, "%s://%s%s%s", scheme, host,
                 apart ? ":" : "", apart ? port : "");
        origin = mem_text(text);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
    return origin;
}

static char *read_origin(const char *region, char *why, size_t size)
{
    char aws[TEXT_MOST + 64];
    const char *url = env("AWS_ENDPOINT_URL_S3");
    if (!url)
        url = env("AWS_ENDPOINT_URL");
    snprintf(aws, sizeof aws, "https://s3.%s.amazonaws.com", region);
    const char *wrong = url ? conf_is_url(url) : NULL;
    char *origin = wrong || (url && strlen(url) > TEXT_MOST)
                       ? NULL
                       : origin_of(url ? url : aws);
    if (!origin)
        snprintf(why, size, "AWS_ENDPOINT_URL: %s",
                 wrong ? wrong : "must be an address of at most 200 bytes");
    return origin;
}

struct s3 *s3_open(const char *place, char *why, size_t size)
{
    const char *id = env_key("AWS_ACCESS_KEY_ID", why, size);
    const char *secret =
        id ? env_key("AWS_SECRET_ACCESS_KEY", why, size) : NULL;
    const char *region = env("AWS_REGION");
    if (!region)
        region = env("AWS_DEFAULT_REGION");
    if (!region)
        region = "us-east-1";
    if (!secret)
        return NULL;
    if (env("AWS_SESSION_TOKEN") || region[strspn(region, bucket_set)] ||
        strlen(region) > BUCKET_MOST) {
        snprintf(why, size, "%s",
                 env("AWS_SESSION_TOKEN")
                     ? "AWS_SESSION_TOKEN is set: --store needs keys that do "
                       "not expire"
                     : "AWS_REGION must be of a-z, 0-9 and `-`");
        return NULL;
    }
    char *origin = read_origin(region, why, size);
    if (!origin)
        return NULL;
    struct s3 *s3 = mem_new(sizeof *s3);
    s3->place = mem_text(place);
    s3->origin = origin;
    s3->host = strstr(origin, "://") + strlen("://");
    s3->path = path_of(place);
    s3->id = mem_text(id);
    s3->secret = mem_text(secret);
    s3->region = mem_text(region);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    s3->curl = curl_easy_init();
    if (!s3->curl)
        abort();
    return s3;
}

void s3_close(struct s3 **s3_ref)
{
    struct s3 *s3 = *s3_ref;
    if (!s3)
        return;
    curl_easy_cleanup(s3->curl);
    curl_global_cleanup();
    mem_free(s3->place);
    mem_free(s3->origin);
    mem_free(s3->path);
    mem_free(s3->id);
    mem_free(s3->secret);
    mem_free(s3->region);
    mem_free(s3);
    *s3_ref = NULL;
}

const char *s3_origin(const struct s3 *s3)
{
    return s3->origin;
}

void s3_stop(struct s3 *s3)
{
    s3->stop = true;
}

/* --- URLs. --- */

static char *sign(const struct s3 *s3, const char *method, const char *name,
                  const char *header)
{
    char path[BUCKET_MOST + PREFIX_MOST + BLOB_NAME + 4];
    const struct s3_key key = {s3->id, s3->secret, s3->region};
    snprintf(path, sizeof path, "%s%s", s3->path, name);
    const struct s3_request request = {.method = method,
                                       .host = s3->host,
                                       .path = path,
                                       .header = header,
                                       .at_ms = clock_wall_ms(),
                                       .expires_s = S3_EXPIRES_S};
    char *target = s3_presign(&key, &request);
    size_t size = strlen(s3->origin) + strlen(target) + 1;
    char *url = mem_new(size);
    snprintf(url, size, "%s%s", s3->origin, target);
    mem_free(target);
    return url;
}

char *s3_url_get(const struct s3 *s3, const char *name)
{
    return sign(s3, "GET", name, NULL);
}

/* The store refuses other bytes than those of the hash that is signed. */
char *s3_url_put(const struct s3 *s3, const char *name)
{
    char header[128], sum[TRANSFER_SUM_SIZE];
    transfer_sum(name, sum);
    snprintf(header, sizeof header, TRANSFER_SUM_HEADER ":%s", sum);
    return sign(s3, "PUT", name, header);
}

/* --- Questions. --- */

static size_t take_header(char *line, size_t size, size_t n, void *ctx)
{
    static const char name[] = TRANSFER_SUM_HEADER ":";
    struct s3 *s3 = ctx;
    const char *at = line + strlen(name), *end = line + size * n;
    if (size * n <= strlen(name) || strncasecmp(line, name, strlen(name)) != 0)
        return size * n;
    while (at < end && *at == ' ')
        at++;
    while (end > at && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' '))
        end--;
    snprintf(s3->sum, sizeof s3->sum, "%.*s", (int)(end - at), at);
    return size * n;
}

static size_t drop_body(char *bytes, size_t size, size_t n, void *ctx)
{
    (void)bytes;
    (void)ctx;
    return size * n;
}

static int look_up(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c,
                   curl_off_t d)
{
    const struct s3 *s3 = ctx;
    (void)a, (void)b, (void)c, (void)d;
    return s3->stop ? 1 : 0;
}

static void set_options(struct s3 *s3, const char *url, char *error)
{
    CURL *curl = s3->curl;
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)S3_ANSWER_MS);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, s3);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, look_up);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, s3);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "frameq-broker/" FRAMEQ_VERSION);
}

/* The status, 0: no answer, and error says why. */
static long ask(struct s3 *s3, const char *method, const char *name,
                const char *signed_header, char error[CURL_ERROR_SIZE])
{
    long status = 0;
    char *url = sign(s3, method, name, signed_header);
    struct curl_slist *headers =
        signed_header ? curl_slist_append(NULL, signed_header) : NULL;
    error[0] = '\0';
    s3->sum[0] = '\0';
    set_options(s3, url, error);
    curl_easy_setopt(s3->curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(s3->curl, CURLOPT_NOBODY, (long)(*method == 'H'));
    curl_easy_setopt(s3->curl, CURLOPT_HTTPHEADER, headers);
    CURLcode code =
        s3->stop ? CURLE_ABORTED_BY_CALLBACK : curl_easy_perform(s3->curl);
    if (code == CURLE_OK)
        curl_easy_getinfo(s3->curl, CURLINFO_RESPONSE_CODE, &status);
    else if (error[0] == '\0')
        snprintf(error, CURL_ERROR_SIZE, "%s", curl_easy_strerror(code));
    curl_easy_setopt(s3->curl, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);
    mem_free(url);
    return status;
}

static const char *advice(long status)
{
    if (status == 403)
        return "check the keys, the broker's clock, and that they may list the "
               "bucket and get, put and delete objects";
    if (status == 301 || status == 400)
        return "check AWS_REGION and AWS_ENDPOINT_URL";
    return "it is asked again when the file is";
}

/* Says what is wrong with the store, in the log once until it is well. */
static void explain(struct s3 *s3, long status, const char *error, char *why,
                    size_t size)
{
    char text[WHY_SIZE];
    if (status == 0)
        snprintf(text, sizeof text,
                 "the store %.200s at %.200s does not answer (%s): start it, "
                 "or check AWS_ENDPOINT_URL",
                 s3->place, s3->origin, error);
    else if (status == 200)
        snprintf(text, sizeof text,
                 "the store %.100s at %.100s keeps no SHA-256 of what is put "
                 "there (" TRANSFER_SUM_HEADER "): take one that does",
                 s3->place, s3->origin);
    else
        snprintf(text, sizeof text,
                 "the store %.150s at %.150s answers %ld: %s", s3->place,
                 s3->origin, status, advice(status));
    if (!s3->ailing && !s3->stop)
        log_warn("store_ails", "reason=%s", log_quoted(text));
    s3->ailing = true;
    if (why)
        snprintf(why, size, "%s", text);
}

static void note_well(struct s3 *s3)
{
    if (s3->ailing)
        log_info("store_well", "store=%s", log_quoted(s3->place));
    s3->ailing = false;
}

enum s3_found s3_look(struct s3 *s3, const char *name, uint64_t *ret_size,
                      char *why, size_t size)
{
    char error[CURL_ERROR_SIZE], sum[TRANSFER_SUM_SIZE];
    curl_off_t length = -1;
    long status = ask(s3, "HEAD", name, "x-amz-checksum-mode:ENABLED", error);
    transfer_sum(name, sum);
    curl_easy_getinfo(s3->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    bool told = status == 200 && s3->sum[0] != '\0' && length >= 0;
    if (status != 404 && !told) {
        explain(s3, status, error, why, size);
        return S3_UNKNOWN;
    }
    note_well(s3);
    if (status == 404 || strcmp(s3->sum, sum) != 0)
        return S3_ABSENT;
    *ret_size = (uint64_t)length;
    return S3_THERE;
}

bool s3_drop(struct s3 *s3, const char *name)
{
    char error[CURL_ERROR_SIZE];
    long status = ask(s3, "DELETE", name, NULL, error);
    bool gone = status == 200 || status == 204 || status == 404;
    if (gone)
        note_well(s3);
    else
        explain(s3, status, error, NULL, 0);
    return gone;
}
