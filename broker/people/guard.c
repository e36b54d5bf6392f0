/* SPDX-License-Identifier: Apache-2.0
 *
 * A token of role submit steers the jobs of its own user; the core knows whose
 * a job is.
 */
#include "broker/people/guard.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "broker/agents/keys.h"
#include "broker/people/reply.h"
#include "broker/people/session.h"
#include "common/app/log.h"

#define LOOK_MS 1000

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool guard_open(struct guard *guard, const char *path, const char *dir,
                char *why, size_t size)
{
    char reason[LIMIT_REASON];
    *guard = (struct guard){.path = path};
    if (path == NULL)
        return true;
    (void)stat(path, &guard->seen); /* before: a later change is not missed */
    if (!session_key_open(dir, guard->session_key, why, size))
        return false;
    if (tokens_load(&guard->tokens, path, reason, sizeof reason))
        return true;
    snprintf(why, size,
             "--tokens: %s (`frameq token add --tokens FILE` makes "
             "one)",
             reason);
    return false;
}

void guard_close(struct guard *guard)
{
    tokens_free(&guard->tokens);
}

bool guard_look(struct guard *guard, int64_t now_ms)
{
    char why[LIMIT_REASON];
    struct stat facts = {0};
    if (guard->path == NULL || now_ms < guard->look_ms)
        return false;
    guard->look_ms = now_ms + LOOK_MS;
    (void)stat(guard->path, &facts); /* gone: tokens_load says so */
    if (is_same(&facts, &guard->seen))
        return false;
    guard->seen = facts;
    if (!tokens_load(&guard->tokens, guard->path, why, sizeof why)) {
        log_error("tokens_not_read", "reason=%s", log_quoted(why));
        return false;
    }
    log_info("tokens_read", "tokens=%zu", guard->tokens.n);
    return true;
}

/* The secret of "Authorization: Bearer SECRET" (RFC 6750), or NULL. */
static const char *bearer(const struct call *call)
{
    static const char scheme[] = "Bearer ";
    const char *value = call_header(call, "Authorization");
    if (value == NULL || strncasecmp(value, scheme, strlen(scheme)) != 0)
        return NULL;
    value += strlen(scheme);
    return value + strspn(value, " ");
}

static void refuse_unknown(struct call *call, const char *reason)
{
    broker_refused(call->http->broker, REFUSED_TOKEN, 1);
    reply_problem(call, RC_UNAUTHORIZED,
                  "%s; `frameq token add` makes one, and frameq reads it from "
                  "FRAMEQ_TOKEN",
                  reason);
}

/* Whether the job a route names is somebody else's. One that is not there is
 * nobody's: the handler says so. */
static bool is_anothers(struct call *call)
{
    static const char jobs[] = "/v1/jobs/{}";
    if (strncmp(call->route->pattern, jobs, strlen(jobs)) != 0)
        return false;
    const struct job *job = job_find(call_core(call), call->params.at[0]);
    return job != NULL && strcmp(job->user, call->token->user) != 0;
}

static bool may(struct call *call)
{
    enum token_role role = call->token->role, needed = call->route->role;
    if (role < needed) {
        broker_refused(call->http->broker, REFUSED_ROLE, 1);
        /* A person is told the role for people. */
        enum token_role told = needed == TOKEN_AGENT ? TOKEN_SUBMIT : needed;
        reply_problem(
            call, RC_FORBIDDEN, "token %s has role %s; this takes role %s",
            call->token->name, token_role_word(role), token_role_word(told));
        return false;
    }
    if (needed != TOKEN_SUBMIT || role != TOKEN_SUBMIT || !is_anothers(call))
        return true;
    broker_refused(call->http->broker, REFUSED_ROLE, 1);
    reply_problem(call, RC_FORBIDDEN,
                  "the job is not %s's; this takes role admin",
                  call->token->user);
    return false;
}

static bool find_token(struct call *call, const char *secret)
{
    const struct http *http = call->http;
    call->token = tokens_find(&http->guard.tokens, secret);
    if (call->token == NULL && http->keys != NULL)
        call->token = keys_token(http->keys, secret);
    if (call->token == NULL)
        refuse_unknown(call, "the token is not known, or was taken back");
    return call->token != NULL;
}

/* Browsers send a cookie of themselves, so it counts for this broker's own page
 * alone; what changes something has to prove that it is of it. */
static bool is_own_page(const struct call *call)
{
    const char *fetch_site = call_header(call, "Sec-Fetch-Site");
    const char *origin = call_header(call, "Origin");
    const char *method = call->in->method;
    bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    return !site_is_foreign(fetch_site, origin, call->in->host) &&
           (reads || fetch_site != NULL || origin != NULL);
}

static bool find_session(struct call *call)
{
    char name[SESSION_NAME], value[SESSION_TEXT];
    const struct guard *guard = &call->http->guard;
    (void)session_name(http_port(call->http), name);
    if (!session_cookie(call_header(call, "Cookie"), name, value)) {
        refuse_unknown(call, "this farm wants a token");
        return false;
    }
    if (!is_own_page(call)) {
        broker_refused(call->http->broker, REFUSED_SITE, 1);
        reply_problem(call, RC_FORBIDDEN,
                      "a session is for the broker's own page; others send "
                      "the token, as Authorization: Bearer");
        return false;
    }
    call->token = session_find(guard->session_key, &guard->tokens, value,
                               broker_now(call->http->broker), &call->ends_ms);
    if (call->token == NULL)
        refuse_unknown(call, "the session is over, or its token was taken "
                             "back");
    return call->token != NULL;
}

bool guard_admits(struct call *call)
{
    if (call->http->guard.path == NULL || call->route->role == TOKEN_NONE)
        return true;
    const char *secret = bearer(call);
    bool known = secret ? find_token(call, secret) : find_session(call);
    return known && may(call);
}
