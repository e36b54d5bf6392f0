/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/blobs/{sha256}: files of scenes, sent in pieces by who submits and
 * fetched by agents.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/people/reply.h"
#include "broker/people/routes/artifacts.h"
#include "broker/people/routes/routes.h"
#include "common/app/log.h"

/* The name in the path; or answers, NULL. */
static const char *blob_of(struct call *call)
{
    const char *name = call->params.at[0];
    if (!call->http->blobs)
        reply_problem(call, RC_NOT_FOUND, "this broker keeps no files");
    else if (!blob_is_name(name))
        reply_problem(call, RC_INVALID,
                      "a file is named by its SHA-256: %d lower-case hex "
                      "digits",
                      BLOB_NAME);
    else
        return name;
    return NULL;
}

/* Reads digits at *at, up to LIMIT_BLOB, and passes them. */
static bool read_number(const char **at, uint64_t *ret)
{
    const char *start = *at;
    uint64_t value = 0;
    for (; **at >= '0' && **at <= '9' && value <= LIMIT_BLOB; ++*at)
        value = value * 10 + (uint64_t)(**at - '0');
    *ret = value;
    return *at > start && value <= LIMIT_BLOB;
}

/* --- Sending. --- */

/* Reads "bytes FIRST-LAST/TOTAL"; without it the body is the whole file. */
static bool read_piece(struct call *call, struct blobs_piece *piece)
{
    const char *at = call_header(call, "Content-Range");
    uint64_t last;
    *piece = (struct blobs_piece){.bytes = call->in->body,
                                  .n = call->in->body_len,
                                  .total = call->in->body_len};
    if (!at)
        return true;
    bool good = strncmp(at, "bytes ", 6) == 0;
    at += good ? 6 : 0;
    good = good && read_number(&at, &piece->offset) && *at++ == '-' &&
           read_number(&at, &last) && *at++ == '/' &&
           read_number(&at, &piece->total) && *at == '\0' &&
           last >= piece->offset && last < piece->total &&
           last - piece->offset + 1 == piece->n;
    if (!good)
        reply_problem(call, RC_INVALID,
                      "header `Content-Range`: must be `bytes "
                      "FIRST-LAST/TOTAL`, of as many bytes as the body has; a "
                      "file has at most %lld",
                      LIMIT_BLOB);
    return good;
}

static void leave(struct call *call)
{
    blobs_forget(call->http->blobs, call);
}

static void put_done(void *ctx, const struct blobs_answer *answer)
{
    struct call *call = ctx;
    (void)call_unpark(call);
    switch (answer->result) {
    case BLOBS_TAKEN:
        reply_header(call, "Upload-Offset", "%" PRIu64, answer->offset);
        reply_empty(call, 202);
        break;
    case BLOBS_WHOLE:
        reply_empty(call, 201);
        break;
    case BLOBS_ELSEWHERE:
        reply_upload(call, RC_CONFLICT, answer->offset,
                     "the next piece begins at Upload-Offset");
        break;
    case BLOBS_WRONG:
        reply_problem(call, RC_INVALID,
                      "this is not the file of that name: %s; all of it was "
                      "dropped",
                      answer->why);
        break;
    default:
        reply_problem(call, RC_NO_SPACE, "%s", answer->why);
    }
}

void blob_put_body(struct call *call, const char *name)
{
    struct blobs_piece piece;
    if (broker_draining(call->http->broker)) {
        reply_problem(call, RC_BUSY, "the broker is shutting down");
        return;
    }
    if (blobs_s3(call->http->blobs)) {
        blob_stored_put(call, name);
        return;
    }
    if (!read_piece(call, &piece))
        return;
    piece.name = name;
    call_park(call, NULL, leave, NULL);
    if (blobs_put(call->http->blobs, &piece, put_done, call))
        return;
    (void)call_unpark(call);
    reply_problem(call, RC_BUSY, "too many uploads wait for the disk");
}

static void put_blob(struct call *call)
{
    const char *name = blob_of(call);
    if (name)
        blob_put_body(call, name);
}

/* --- Fetching. --- */

static void send_blob(struct call *call, const char *name, int fd,
                      uint64_t size)
{
    char tag[BLOB_NAME + 3];
    snprintf(tag, sizeof tag, "\"%s\"", name);
    reply_ranged(call, TYPE_BYTES, fd, size, tag);
}

static void get_blob(struct call *call)
{
    uint64_t size;
    const char *name = blob_of(call);
    if (!name)
        return;
    int fd = blobs_open_file(call->http->blobs, name, &size);
    if (fd >= 0)
        send_blob(call, name, fd, size);
    else if (blobs_s3(call->http->blobs))
        blob_stored_get(call, name);
    else
        reply_upload(call, RC_NOT_FOUND, size,
                     "no whole file of that name is here; so much of it has "
                     "come as Upload-Offset says");
}

/* --- Checking. --- */

static void check_done(void *ctx, const struct blobs_answer *answer)
{
    struct call *call = ctx;
    const char *name = call->params.at[0];
    (void)call_unpark(call);
    if (answer->result == BLOBS_WRONG)
        log_warn("file_dropped", "sha256=%s reason=%s", name,
                 log_quoted(answer->why));
    if (answer->result == BLOBS_WHOLE)
        reply_empty(call, 204);
    else if (answer->result == BLOBS_WRONG)
        reply_upload(call, RC_NOT_FOUND, 0,
                     "it was damaged on the broker's disk and is dropped; send "
                     "it again");
    else if (answer->result == BLOBS_MISSING)
        reply_upload(call, RC_NOT_FOUND, answer->offset,
                     "no whole file of that name is here");
    else
        reply_problem(call, RC_BUSY, "it could not be read: %s", answer->why);
}

static void check_blob(struct call *call)
{
    const char *name = blob_of(call);
    if (!name)
        return;
    call_park(call, NULL, leave, NULL);
    if (blobs_check(call->http->blobs, name, check_done, call))
        return;
    (void)call_unpark(call);
    reply_problem(call, RC_BUSY, "too many uploads wait for the disk");
}

/* --- What an agent was asked for and does not have. --- */

static const struct field gone_fields[] = {
    {"reason", call_field_reason, NULL},
    {NULL, NULL, NULL},
};

static void miss_blob(struct call *call)
{
    const char *name = blob_of(call);
    json_t *body = name ? call_body(call, gone_fields, true) : NULL;
    if (!body)
        return;
    const char *why = json_string_value(json_object_get(body, "reason"));
    gone_add(&call->http->gone, name, why ? why : "its agent does not say why",
             broker_now(call->http->broker));
    json_decref(body);
    reply_empty(call, 204);
}

const struct route routes_blobs[] = {
    {"GET", "/v1/blobs/{}", get_blob, TOKEN_READ},
    {"PUT", "/v1/blobs/{}", put_blob, TOKEN_AGENT},
    {"POST", "/v1/blobs/{}:check", check_blob, TOKEN_AGENT},
    {"POST", "/v1/blobs/{}:gone", miss_blob, TOKEN_AGENT},
    {0},
};
