/* SPDX-License-Identifier: Apache-2.0
 *
 * One deadline; everything can only bring it nearer, sending moves it on.
 */
#include "worker-agent/pace.h"

#include "common/msg.h"

#define HELLO_MIN_MS 50

void pace_init(struct pace *pace, int64_t now_ms)
{
    *pace = (struct pace){
        .sent_ms = now_ms, .due_ms = now_ms, .hello_ms = HELLO_MIN_MS};
}

static void sooner(struct pace *pace, int64_t due_ms)
{
    if (due_ms < pace->due_ms)
        pace->due_ms = due_ms;
}

void pace_news(struct pace *pace, int64_t now_ms, enum news news)
{
    if (news == NEWS_NOW)
        sooner(pace, now_ms);
    if (news == NEWS_PROGRESS)
        sooner(pace, pace->sent_ms + MSG_PROGRESS_MS);
}

void pace_ask(struct pace *pace, int64_t now_ms, int64_t within_ms)
{
    sooner(pace, now_ms + within_ms);
}

void pace_hello(struct pace *pace, int64_t now_ms)
{
    pace->hello_ms = HELLO_MIN_MS;
    sooner(pace, now_ms);
}

void pace_sent(struct pace *pace, int64_t now_ms, bool seated)
{
    pace->sent_ms = now_ms;
    pace->due_ms = now_ms + (seated ? MSG_STATE_MS : pace->hello_ms);
    pace->hello_ms *= 2;
    if (seated)
        pace->hello_ms = HELLO_MIN_MS;
    if (pace->hello_ms > MSG_STATE_MS)
        pace->hello_ms = MSG_STATE_MS;
}
