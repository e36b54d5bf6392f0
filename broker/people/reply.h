/* SPDX-License-Identifier: Apache-2.0
 *
 * How a call is answered: as JSON, as text, as a problem (RFC 9457), or with
 * nothing. Each is called once a call and ends it: at once, or behind the
 * commit gate when the call has looked into the core.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_REPLY_H
#define FRAMEQ_BROKER_PEOPLE_REPLY_H

#include "broker/people/call.h"

#define TYPE_TEXT  "text/plain; charset=utf-8"
#define TYPE_JSON  "application/json"
#define TYPE_BYTES "application/octet-stream"

#define REPLY_RETRY_S 5 /* Retry-After where nothing better is known */

/* reply_header adds a header to the answer to come; name is static. At most
 * ANSWER_HEADERS less one a call. */
void reply_header(struct call *call, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* reply_json takes json. */
void reply_json(struct call *call, int status, json_t *json);
void reply_text(struct call *call, int status, const char *text);
void reply_bytes(struct call *call, const char *type, const void *bytes,
                 size_t n);
void reply_empty(struct call *call, int status);

/* reply_job answers with a job's document and its entity tag. reply_tag writes
 * that tag, which starts anew with the broker, without quotes; returns ret. */
#define REPLY_TAG_SIZE 48
void reply_job(struct call *call, const struct job *job);
char *reply_tag(const struct core *core, const struct job *job,
                char ret[REPLY_TAG_SIZE]);

/* reply_file answers with a file, at once; takes fd. tag is its entity tag with
 * quotes, NULL for none. */
void reply_file(struct call *call, const char *type, int fd, uint64_t size,
                const char *tag);

/* reply_ranged answers with the file, or with the part of it that the header
 * Range asks for (where If-Range, if it is there, names tag); 416 past its end,
 * 304 where If-None-Match names tag. Takes fd. */
void reply_ranged(struct call *call, const char *type, int fd, uint64_t size,
                  const char *tag);

/* reply_problem answers a refusal: its title is rc's, the detail says why. As
 * text that is "<title>: <detail>". */
void reply_problem(struct call *call, enum rc rc, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* reply_unknown_job answers 404 as the classic routes do: in text it is "Job
 * not found" and nothing more. */
void reply_unknown_job(struct call *call);

/* reply_upload answers a refusal with how much of an upload is there, as
 * Upload-Offset. */
void reply_upload(struct call *call, enum rc rc, uint64_t offset,
                  const char *detail);

/* reply_upload_store answers 404 for an upload that goes to a store: nothing of
 * it is there, and Upload-Store names the store. */
void reply_upload_store(struct call *call, const char *store,
                        const char *detail);

/* reply_method answers 405 with the methods a path does take. */
void reply_method(struct call *call, const char *allow);

/* reply_broken answers, with 503, a call whose answer waits for a gate that
 * will not open again. */
void reply_broken(struct call *call);

#endif
