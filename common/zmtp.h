/* SPDX-License-Identifier: Apache-2.0
 *
 * How large a message over ZeroMQ may be, counted while its parts come in, and
 * where in the bytes of a connection they begin and end (ZMTP 3, ZeroMQ RFC
 * 23). Reads no part, and knows no socket.
 */
#ifndef FRAMEQ_COMMON_ZMTP_H
#define FRAMEQ_COMMON_ZMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What has come of a message so far. Zeroed: nothing. */
struct zmtp_message {
    size_t parts, bytes;
};

/* zmtp_part counts a part of so many bytes; more: others follow. After the last
 * one it is the next message's turn. Returns false where the message is larger
 * than any: past LIMIT_PARTS, or LIMIT_MESSAGE and LIMIT_TOPIC together. */
bool zmtp_part(struct zmtp_message *message, bool more, uint64_t bytes);

/* One direction of a connection. Zeroed: at its beginning. */
struct zmtp_stream {
    struct zmtp_message message;
    uint64_t body;         /* bytes still to come of a frame */
    size_t greeting, head; /* bytes seen of the greeting; of a frame's head */
    unsigned char at[9];   /* that head */
};

/* zmtp_follow takes the next len bytes. Returns false where a message is too
 * large, or the other end speaks an older version than 3. */
bool zmtp_follow(struct zmtp_stream *stream, const void *bytes, size_t len);

#endif
