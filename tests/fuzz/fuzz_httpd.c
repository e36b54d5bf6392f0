/* SPDX-License-Identifier: Apache-2.0
 *
 * See fuzz_httpd.h. What a client would see of a request that waits is looked
 * at when its answer comes.
 */
#include "tests/fuzz/fuzz_httpd.h"

#include <assert.h>
#include <jansson.h>
#include <strings.h>
#include <unistd.h>

#include "common/http/httpd.h"
#include "common/limits.h"
#include "common/text.h"

/* Of target.c; httpd_parts.h has more than can stand beside our own httpd. */
const char *target_path(const char *target, char *path);

#define REQUESTS 16
#define PAIRS    16

struct pair {
    const char *name, *value;
};

struct one {
    struct httpd_request open; /* first member */
    struct pair headers[PAIRS], queries[PAIRS];
    size_t n_headers, n_queries;
    bool answered, streams;
};

static struct httpd {
    struct httpd_options options;
    struct one at[REQUESTS];
    size_t n;
} server;

/* --- Reading. --- */

static void read_queries(struct one *one, char *text)
{
    char *save = NULL;
    for (char *at = strtok_r(text, "&", &save); at != NULL;
         at = strtok_r(NULL, "&", &save)) {
        char *value = strchr(at, '=');
        if (one->n_queries == PAIRS)
            return;
        if (value != NULL)
            *value++ = '\0';
        one->queries[one->n_queries++] =
            (struct pair){at, value != NULL ? value : ""};
    }
}

static bool read_line(struct one *one, char *line, struct arena *arena)
{
    static const char *const methods[] = {"GET",   "HEAD",   "POST",   "PUT",
                                          "PATCH", "DELETE", "OPTIONS"};
    char *target = strchr(line, ' ');
    if (target == NULL)
        return false;
    *target++ = '\0';
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (strcmp(methods[i], line) == 0)
            one->open.method = methods[i];
    char *path = arena_new(arena, strlen(target) + 2);
    bool taken = target_path(target, path) == NULL;
    char *query = strchr(target, '?');
    if (query != NULL)
        read_queries(one, query + 1);
    one->open.path = path;
    return taken && one->open.method != NULL;
}

/* As a server takes them: without control characters. */
static void read_header(struct one *one, char *line)
{
    char *value = strchr(line, ':');
    if (value == NULL || one->n_headers == PAIRS)
        return;
    *value++ = '\0';
    value += strspn(value, " ");
    if (value[strcspn(value, "\r\n")] == '\0')
        one->headers[one->n_headers++] = (struct pair){line, value};
}

static struct fuzz_bytes request_cut(struct fuzz_bytes *in)
{
    static const char end[] = "\n~\n";
    struct fuzz_bytes cut = *in;
    const uint8_t *at = in->left > 0 ? memmem(in->at, in->left, end, 3) : NULL;
    if (at != NULL)
        cut.left = (size_t)(at - in->at);
    size_t used = at != NULL ? cut.left + 3 : in->left;
    in->at += used;
    in->left -= used;
    return cut;
}

static bool request_read(struct one *one, struct fuzz_bytes *in,
                         struct arena *arena)
{
    *one = (struct one){.open = {.peer = "127.0.0.1"}};
    bool right = read_line(one, fuzz_text(in, '\n', arena), arena);
    while (in->left > 0) {
        char *line = fuzz_text(in, '\n', arena);
        if (*line == '\0')
            break;
        read_header(one, line);
    }
    one->open.body = arena_text(arena, (const char *)in->at, in->left);
    one->open.body_len = in->left;
    return right;
}

void httpd_take(struct fuzz_bytes *in, struct arena *arena)
{
    struct fuzz_bytes cut = request_cut(in);
    if (server.n == REQUESTS ||
        !request_read(&server.at[server.n], &cut, arena))
        return;
    struct one *one = &server.at[server.n++];
    server.options.handle(server.options.ctx, &one->open);
}

void httpd_end(void)
{
    while (server.n > 0) {
        struct one *one = &server.at[--server.n];
        server.options.ended(server.options.ctx, &one->open,
                             one->answered && !one->streams);
    }
}

/* --- What the face calls. --- */

static struct one *one_of(const struct httpd_request *request)
{
    return (struct one *)(uintptr_t)request;
}

static const char *find(const struct pair *pairs, size_t n, const char *name,
                        int (*compare)(const char *, const char *))
{
    for (size_t i = 0; i < n; i++)
        if (compare(pairs[i].name, name) == 0)
            return pairs[i].value;
    return NULL;
}

const char *httpd_header(const struct httpd_request *request, const char *name)
{
    const struct one *one = one_of(request);
    return find(one->headers, one->n_headers, name, strcasecmp);
}

const char *httpd_query(const struct httpd_request *request, const char *name)
{
    const struct one *one = one_of(request);
    return find(one->queries, one->n_queries, name, strcmp);
}

static void check_headers(const char *const *headers)
{
    for (; headers != NULL && *headers != NULL; headers++)
        assert(text_is_plain(*headers, strlen(*headers)));
}

static void check_body(const struct httpd_answer *answer)
{
    if (answer->type == NULL || strstr(answer->type, "json") == NULL)
        return;
    json_t *json =
        json_loadb(answer->body, answer->len, JSON_REJECT_DUPLICATES, NULL);
    assert(json != NULL);
    json_decref(json);
}

static void answer_once(struct httpd_request *request)
{
    struct one *one = one_of(request);
    assert(!one->answered);
    one->answered = true;
}

void httpd_reply(struct httpd_request *request,
                 const struct httpd_answer *answer)
{
    answer_once(request);
    assert(answer->status >= 200 && answer->status < 600 &&
           answer->status != 500);
    check_headers(answer->headers);
    check_body(answer);
}

void httpd_file(struct httpd_request *request, const char *type, int fd,
                uint64_t size, const char *const *headers)
{
    (void)size;
    answer_once(request);
    assert(type != NULL);
    check_headers(headers);
    close(fd);
}

void httpd_part(struct httpd_request *request, const char *type, int fd,
                uint64_t offset, uint64_t n, const char *const *headers)
{
    (void)offset;
    assert(n > 0);
    httpd_file(request, type, fd, n, headers);
}

void httpd_stream(struct httpd_request *request, const char *type,
                  const char *const *headers)
{
    answer_once(request);
    one_of(request)->streams = true;
    assert(type != NULL);
    check_headers(headers);
}

bool httpd_stream_send(struct httpd_request *request, const void *bytes,
                       size_t n, size_t max_behind)
{
    assert(one_of(request)->streams && bytes != NULL);
    return n <= max_behind;
}

void httpd_stream_end(struct httpd_request *request)
{
    assert(one_of(request)->streams);
}

struct httpd *httpd_open(const struct httpd_options *options, char *why,
                         size_t size)
{
    (void)why;
    (void)size;
    server = (struct httpd){.options = *options};
    return &server;
}

void httpd_close(struct httpd **httpd)
{
    httpd_end();
    *httpd = NULL;
}

int httpd_port(const struct httpd *httpd)
{
    (void)httpd;
    return 1;
}

int httpd_fd(const struct httpd *httpd)
{
    (void)httpd;
    return -1;
}

int64_t httpd_wait(const struct httpd *httpd)
{
    (void)httpd;
    return -1;
}

void httpd_run(struct httpd *httpd)
{
    (void)httpd;
}

uint64_t httpd_refused(struct httpd *httpd)
{
    (void)httpd;
    return 0;
}

size_t httpd_open_requests(const struct httpd *httpd)
{
    return httpd->n;
}
