/* SPDX-License-Identifier: Apache-2.0
 *
 * See zmtp.h. A frame's head is its flags and its length, in one byte or eight.
 */
#include "common/zmtp.h"

#include "common/limits.h"

#define MESSAGE_MAX (LIMIT_MESSAGE + LIMIT_TOPIC)

#define GREETING      64
#define FRAME_MORE    1
#define FRAME_LARGE   2
#define FRAME_COMMAND 4

bool zmtp_part(struct zmtp_message *message, bool more, uint64_t bytes)
{
    if (message->parts == LIMIT_PARTS || bytes > MESSAGE_MAX - message->bytes)
        return false;
    message->parts++;
    message->bytes += bytes;
    if (!more)
        *message = (struct zmtp_message){0};
    return true;
}

/* A signature of ten bytes, the version, then what does not matter here. */
static bool greeting_fits(size_t at, unsigned char byte)
{
    return at == 0 ? byte == 0xff : at == 9 ? byte & 1 : at != 10 || byte >= 3;
}

static size_t head_size(const struct zmtp_stream *stream)
{
    return stream->at[0] & FRAME_LARGE ? 9 : 2;
}

/* A command is no part of a message, but libzmq takes one that says that more
 * follow for a part. */
static bool frame_begin(struct zmtp_stream *stream)
{
    bool more = stream->at[0] & FRAME_MORE;
    for (size_t i = 1; i < stream->head; i++)
        stream->body = stream->body << 8 | stream->at[i];
    stream->head = 0;
    if (stream->at[0] & FRAME_COMMAND && !more)
        return true;
    return zmtp_part(&stream->message, more, stream->body);
}

static bool take_byte(struct zmtp_stream *stream, unsigned char byte)
{
    if (stream->greeting < GREETING)
        return greeting_fits(stream->greeting++, byte);
    stream->at[stream->head++] = byte;
    return stream->head < head_size(stream) || frame_begin(stream);
}

/* Passes over what is there of a frame's body; returns how much. */
static size_t skip_body(struct zmtp_stream *stream, size_t len)
{
    size_t n = stream->body < len ? (size_t)stream->body : len;
    stream->body -= n;
    return n;
}

bool zmtp_follow(struct zmtp_stream *stream, const void *bytes, size_t len)
{
    const unsigned char *at = bytes, *end = at + len;
    while (at < end) {
        at += skip_body(stream, (size_t)(end - at));
        if (at < end && !take_byte(stream, *at++))
            return false;
    }
    return true;
}
