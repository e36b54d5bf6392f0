/* SPDX-License-Identifier: Apache-2.0
 *
 * A token of role submit steers the jobs of its own user; the core knows whose
 * a job is.
 */
#include "broker/guard.h"

#include <string.h>
#include <strings.h>

#include "broker/keys.h"
#include "broker/reply.h"
#include "common/app/log.h"

#define LOOK_MS 1000

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

bool guard_open(struct guard *guard, const char *path, char *why, size_t size)
{
    *guard = (struct guard){.path = path};
    if (path == NULL)
        return true;
    (void)stat(path, &guard->seen); /* before: a later change is not missed */
    return tokens_load(&guard->tokens, path, why, size);
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

bool guard_admits(struct call *call)
{
    const struct guard *guard = &call->http->guard;
    if (guard->path == NULL || call->route->role == TOKEN_NONE)
        return true;
    const char *secret = bearer(call);
    if (secret == NULL) {
        refuse_unknown(call, "this farm wants a token");
        return false;
    }
    call->token = tokens_find(&guard->tokens, secret);
    if (call->token == NULL && call->http->keys != NULL)
        call->token = keys_token(call->http->keys, secret);
    if (call->token == NULL) {
        refuse_unknown(call, "the token is not known, or was taken back");
        return false;
    }
    return may(call);
}
