/* SPDX-License-Identifier: Apache-2.0
 *
 * Refuses before the core is asked: what does not parse, a key used for
 * something else, and any new job while there is no room or the broker is
 * about to end.
 */
#include "broker/people/submit.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "broker/people/hash.h"
#include "broker/people/headers.h"
#include "broker/people/jobspec.h"
#include "broker/people/reply.h"
#include "common/app/log.h"
#include "common/app/trace.h"

#define KEY_DIGEST 32 /* bytes */

#define ID_BYTES 16
#define ID_SIZE  23 /* 22 characters of base64url */

static void id_encode(const unsigned char bytes[ID_BYTES], char ret[ID_SIZE])
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned bits = 0, have = 0;
    size_t n = 0;
    for (size_t i = 0; i < ID_BYTES; i++) {
        bits = bits << 8 | bytes[i];
        for (have += 8; have >= 6; have -= 6)
            ret[n++] = letters[bits >> (have - 6) & 63];
    }
    ret[n++] = letters[bits << (6 - have) & 63];
    ret[n] = '\0';
}

/* Draws an id that can also be typed: no command line takes it for a flag. */
static void id_draw(char ret[ID_SIZE])
{
    unsigned char bytes[ID_BYTES];
    do {
        if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
            abort(); /* a kernel without random numbers */
        id_encode(bytes, ret);
    } while (ret[0] == '-' || ret[0] == '_');
}

static bool read_key(struct call *call, char ret[LIMIT_KEY + 1])
{
    const char *value = call_header(call, "Idempotency-Key");
    *ret = '\0';
    if (!value || headers_key(value, ret))
        return true;
    reply_problem(call, RC_INVALID,
                  "header `Idempotency-Key`: must be 1 to %d visible ASCII "
                  "characters",
                  LIMIT_KEY);
    return false;
}

/* Tokens tell users apart, and each has keys of their own: what one of them
 * chose must not give another a job that is not theirs. */
static void key_own(const struct call *call, char key[LIMIT_KEY + 1])
{
    unsigned char digest[KEY_DIGEST];
    crypto_generichash_state state;
    _Static_assert(2 * KEY_DIGEST <= LIMIT_KEY, "a digest is a key");
    if (!call->token || *key == '\0')
        return;
    const char *user = call->token->user;
    crypto_generichash_init(&state, NULL, 0, sizeof digest);
    crypto_generichash_update(&state, (const unsigned char *)user,
                              strlen(user) + 1);
    crypto_generichash_update(&state, (const unsigned char *)key, strlen(key));
    crypto_generichash_final(&state, digest, sizeof digest);
    sodium_bin2hex(key, LIMIT_KEY + 1, digest, sizeof digest);
}

static bool has_room(struct call *call)
{
    const char *reason;
    struct broker *broker = call->http->broker;
    if (broker_draining(broker)) {
        reply_problem(call, RC_BUSY, "the broker is shutting down");
        return false;
    }
    if (store_health(broker_store(broker), &reason) == STORE_FULL) {
        reply_problem(call, RC_NO_SPACE, "no room for new jobs: %s", reason);
        return false;
    }
    return true;
}

/* The job that this key made before. Answers 422, NULL, when it was made of
 * another body. */
static const struct job *find_earlier(struct call *call, const struct job *job,
                                      uint64_t hash)
{
    if (job->key_hash == hash)
        return job;
    reply_problem(call, RC_KEY_REUSED,
                  "this Idempotency-Key was used with another body, for job %s",
                  job->id);
    return NULL;
}

/* The span of the request, and the one that all batches of the job are in. */
static void log_trace(const struct call *call, const struct job_spec *spec)
{
    char words[TRACE_WORDS];
    if (spec->trace[0] != '\0')
        log_info("job_traced", "job=%s%s from=%s", spec->id,
                 trace_words(spec->trace, words),
                 log_quoted(call_header(call, "traceparent")));
}

static const struct job *make_job(struct call *call, struct job_spec *spec)
{
    char id[ID_SIZE];
    const struct job *earlier = NULL;
    const struct core *core = call_core(call);
    struct cmd cmd = {.type = CMD_SUBMIT, .spec = spec};
    if (*spec->key)
        earlier = job_find_key(core, spec->key);
    if (earlier)
        return find_earlier(call, earlier, spec->key_hash);
    if (!has_room(call))
        return NULL;
    id_draw(id);
    spec->id = id;
    if (call->token)
        spec->user = call->token->user;
    else if (!*spec->user)
        spec->user = call->in->peer;
    if (!call_command(call, &cmd))
        return NULL;
    log_trace(call, spec);
    return job_find(core, id);
}

const struct job *submit_job(struct call *call, bool classic)
{
    char why[LIMIT_REASON], key[LIMIT_KEY + 1], trace[TRACE_SIZE];
    struct job_spec spec;
    const struct httpd_request *in = call->in;
    const char *body = call->body ? call->body : in->body;
    size_t len = call->body ? strlen(call->body) : in->body_len;
    if (!read_key(call, key) || !call_takes_json(call))
        return NULL;
    key_own(call, key);
    if (!jobspec_read(body, len, broker_arena(call->http->broker), &spec, why,
                      sizeof why)) {
        reply_problem(call, RC_INVALID, "%s", why);
        return NULL;
    }
    spec.key = key;
    spec.key_hash = hash_bytes(in->body, in->body_len);
    spec.plain = spec.plain && classic;
    trace_child(call_header(call, "traceparent"), trace);
    spec.trace = trace;
    const struct job *job = make_job(call, &spec);
    jobspec_done(&spec);
    return job;
}
