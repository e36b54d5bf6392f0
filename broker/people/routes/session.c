/* SPDX-License-Identifier: Apache-2.0
 *
 * /v1/session: a token is exchanged for a session of the page, which a cookie
 * holds, and that is ended. Where there are no tokens there is nothing to
 * exchange: everybody is told so.
 */
#include "broker/people/session.h"

#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"
#include "broker/views/view.h"

/* No script of a page sees it, no other site's page has it sent, none goes out
 * in the clear that came over TLS, and the browser forgets it when it is
 * closed. */
static void set_cookie(struct call *call, const char *value, const char *more)
{
    char name[SESSION_NAME];
    const char *secure = call->in->secure ? "; Secure" : "";
    reply_header(
        call, "Set-Cookie", "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
        session_name(http_port(call->http), name), value, secure, more);
    reply_header(call, "Cache-Control", "no-store");
}

static json_t *view_session(const struct call *call)
{
    const struct token *token = call->token;
    enum token_role role = token ? token->role : TOKEN_ADMIN;
    json_t *doc = json_object();
    view_put(doc, "token", token ? json_string(token->name) : json_null());
    view_put(doc, "user", json_string(call_who(call)));
    view_put(doc, "role", json_string(token_role_word(role)));
    return doc;
}

static void get_session(struct call *call)
{
    reply_json(call, 200, view_session(call));
}

/* Tokens of the farm's file only: an agent's key is not for people. */
static void open_session(struct call *call)
{
    char value[SESSION_TEXT];
    const struct guard *guard = &call->http->guard;
    int64_t ends_ms = broker_now(call->http->broker) + SESSION_MS;
    session_write(guard->session_key, call->token, ends_ms, value);
    set_cookie(call, value, "");
    json_t *doc = view_session(call);
    view_put(doc, "ends_at", view_time(ends_ms));
    reply_json(call, 200, doc);
}

static void post_session(struct call *call)
{
    const struct guard *guard = &call->http->guard;
    if (!call->token)
        reply_json(call, 200, view_session(call));
    else if (!call_header(call, "Authorization"))
        reply_problem(call, RC_INVALID,
                      "a session is opened with the token, as Authorization: "
                      "Bearer; a session does not open another");
    else if (tokens_named(&guard->tokens, call->token->name) != call->token)
        reply_problem(call, RC_FORBIDDEN,
                      "an agent's key opens no session; `frameq token add` "
                      "makes a token for people");
    else
        open_session(call);
}

static void delete_session(struct call *call)
{
    set_cookie(call, "", "; Max-Age=0");
    reply_empty(call, 204);
}

const struct route routes_session[] = {
    {"GET", "/v1/session", get_session, TOKEN_READ},
    {"POST", "/v1/session", post_session, TOKEN_READ},
    {"DELETE", "/v1/session", delete_session, TOKEN_NONE},
    {0},
};
