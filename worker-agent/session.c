/* SPDX-License-Identifier: Apache-2.0
 *
 * Three BEATs missed, or a closed connection, are a doubt; a doubt is settled
 * by a BEAT or by asking. New sockets get longer and longer to be heard on, up
 * to MSG_DEAF_MS.
 */
#include "worker-agent/session.h"

#include "common/msg.h"

#define GRACE_MIN_MS (3 * MSG_BEAT_MS)
#define ASK_MIN_MS   100
#define ASK_MAX_MS   2000

void session_init(struct session *session, int64_t now_ms)
{
    *session = (struct session){
        .ask_ms = now_ms, .backoff_ms = ASK_MIN_MS, .grace_ms = GRACE_MIN_MS};
}

enum session_wish session_step(struct session *session, int64_t now_ms)
{
    if (session->asking || now_ms < session_next(session))
        return SESSION_WAIT;
    session->asking = true;
    session->ask_ms = INT64_MAX;
    return SESSION_ASK;
}

int64_t session_next(const struct session *session)
{
    if (session->asking)
        return INT64_MAX;
    int64_t deaf_ms =
        session->connected ? session->heard_ms + session->grace_ms : INT64_MAX;
    return deaf_ms < session->ask_ms ? deaf_ms : session->ask_ms;
}

/* Half of it is certain, half is spread. */
static void ask_again(struct session *session, int64_t now_ms, uint32_t jitter)
{
    int64_t half = session->backoff_ms / 2;
    session->ask_ms = now_ms + half + (int64_t)jitter % (half + 1);
    session->backoff_ms *= 2;
    if (session->backoff_ms > ASK_MAX_MS)
        session->backoff_ms = ASK_MAX_MS;
}

enum session_wish session_farm(struct session *session, int64_t now_ms,
                               const struct farm *farm, uint32_t jitter)
{
    session->asking = false;
    if (farm == NULL) {
        ask_again(session, now_ms, jitter);
        return SESSION_WAIT;
    }
    session->backoff_ms = ASK_MIN_MS;
    session->ask_ms = INT64_MAX;
    session->grace_ms =
        session->connected ? 2 * session->grace_ms : GRACE_MIN_MS;
    if (session->grace_ms > MSG_DEAF_MS)
        session->grace_ms = MSG_DEAF_MS;
    session->farm = *farm;
    session->connected = true;
    session->heard = false;
    session->heard_ms = now_ms;
    return SESSION_CONNECT;
}

void session_beat(struct session *session, int64_t now_ms)
{
    session->heard_ms = now_ms;
    session->heard = true;
    session->grace_ms = GRACE_MIN_MS;
    session->backoff_ms = ASK_MIN_MS;
    session->ask_ms = INT64_MAX;
}

void session_cut(struct session *session, int64_t now_ms)
{
    if (session->connected && session->heard && session->ask_ms > now_ms)
        session->ask_ms = now_ms;
}
