/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that lie in a store: who asks for one or wants to put one is sent on
 * there (307) by a URL that is good for that alone. No byte of them passes
 * through here.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/files/s3.h"
#include "broker/people/reply.h"
#include "broker/people/routes/artifacts.h"
#include "common/mem.h"

static void leave(struct call *call)
{
    blobs_forget(call->http->blobs, call);
}

static bool is_head(const struct call *call)
{
    return strcmp(call->in->method, "HEAD") == 0;
}

/* Takes url. */
static void send_on(struct call *call, char *url)
{
    reply_header(call, "Location", "%s", url);
    reply_header(call, "Cache-Control", "no-store");
    mem_free(url);
    reply_empty(call, 307);
}

/* done begins with call_unpark, which gives it the name, owned. */
static void look(struct call *call, const char *name, uint64_t total,
                 blobs_done *done)
{
    call_park(call, mem_text(name), leave, mem_free);
    if (blobs_look(call->http->blobs, name, total, done, call))
        return;
    mem_free(call_unpark(call));
    reply_problem(call, RC_BUSY, "too many wait for the store");
}

/* What nobody was sent on for. */
static void refuse(struct call *call, const struct blobs_answer *answer)
{
    const struct s3 *s3 = blobs_s3(call->http->blobs);
    if (answer->result == BLOBS_MISSING)
        reply_upload_store(call, s3_origin(s3),
                           "no file of that name is in the store");
    else
        reply_problem(call,
                      answer->result == BLOBS_FULL ? RC_NO_SPACE : RC_BUSY,
                      "%s", answer->why);
}

/* --- Fetching. --- */

bool blob_stored_reply(struct call *call, const char *name, const char *type)
{
    uint64_t size;
    char tag[BLOB_NAME + 3];
    struct blobs *blobs = call->http->blobs;
    int fd = blobs_open_stored(blobs, name, &size);
    if (fd < 0)
        return false;
    snprintf(tag, sizeof tag, "\"%s\"", name);
    if (is_head(call)) {
        reply_ranged(call, type, fd, size, tag);
    } else {
        close(fd);
        send_on(call, s3_url_get(blobs_s3(blobs), name));
    }
    return true;
}

static void get_looked(void *ctx, const struct blobs_answer *answer)
{
    struct call *call = ctx;
    char *name = call_unpark(call);
    if (answer->result != BLOBS_WHOLE ||
        !blob_stored_reply(call, name, TYPE_BYTES))
        refuse(call, answer);
    mem_free(name);
}

void blob_stored_get(struct call *call, const char *name)
{
    /* Who asks by HEAD is about to count on it. */
    if (is_head(call) || !blob_stored_reply(call, name, TYPE_BYTES))
        look(call, name, BLOBS_NO_TOTAL, get_looked);
}

/* --- Sending. --- */

/* "bytes * /TOTAL" (without the blank), or a piece's; without it the body is
 * the whole file. */
static bool read_total(struct call *call, uint64_t *ret)
{
    const char *range = call_header(call, "Content-Range");
    const char *slash = range ? strrchr(range, '/') : NULL;
    size_t digits = slash ? strspn(slash + 1, "0123456789") : 0;
    *ret = slash ? strtoull(slash + 1, NULL, 10) : call->in->body_len;
    if (range && (strncmp(range, "bytes ", 6) != 0 || digits == 0 ||
                  slash[1 + digits] != '\0'))
        reply_problem(call, RC_INVALID,
                      "header `Content-Range`: must be `bytes */TOTAL`: what "
                      "is sent goes to the store at %s",
                      s3_origin(blobs_s3(call->http->blobs)));
    else if (digits > 15 || *ret > LIMIT_STORE_PUT)
        reply_problem(call, RC_TOO_LARGE,
                      "a store takes files of at most %lld bytes: pack less "
                      "into this one",
                      LIMIT_STORE_PUT);
    else
        return true;
    return false;
}

static void put_looked(void *ctx, const struct blobs_answer *answer)
{
    struct call *call = ctx;
    char *name = call_unpark(call);
    if (answer->result == BLOBS_WHOLE)
        reply_empty(call, 201);
    else if (answer->result == BLOBS_MISSING)
        send_on(call, s3_url_put(blobs_s3(call->http->blobs), name));
    else
        refuse(call, answer);
    mem_free(name);
}

void blob_stored_put(struct call *call, const char *name)
{
    uint64_t total;
    if (read_total(call, &total))
        look(call, name, total, put_looked);
}
