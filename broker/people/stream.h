/* SPDX-License-Identifier: Apache-2.0
 *
 * Event streams (SSE): the feed's ring to browsers and scripts, from where
 * each left off. Keeps no event of its own; a reader too slow or too late is
 * told to take a fresh snapshot.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_STREAM_H
#define FRAMEQ_BROKER_PEOPLE_STREAM_H

#include "broker/people/call.h"

#define STREAM_BEAT_MS 15000

/* stream_begin answers a call with the events behind `seq` of this epoch (or
 * those to come, when seq is that of now), of the given topics ("jobs",
 * "job:<id>", "agents", with commas between; NULL: all). With reset
 * set the reader is first told that it missed some. */
void stream_begin(struct call *call, const char *topics, uint64_t seq,
                  bool reset);

/* stream_topics_check tells whether a list of topics is one. */
bool stream_topics_check(const char *topics);

/* stream_news gives all streams what the feed has got; stream_resume those that
 * lagged what they have room for now; stream_beat_all, when it is time, a sign
 * of life; stream_end_due ends those whose session is over, stream_end_all all.
 * why: a line that each reader gets as a comment before its end. */
void stream_news(struct http *http);
void stream_resume(struct http *http);
void stream_beat_all(struct http *http, int64_t now_ms);
void stream_end_due(struct http *http, int64_t now_ms);
void stream_end_all(struct http *http, const char *why);

#endif
