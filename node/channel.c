/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads what is there, gives it out line by line.
 */
#include "node/channel.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/limits.h"

int channel_open(struct channel *channel)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
        return -1;
    channel->fd = ends[0];
    buf_init(&channel->in, LIMIT_EVENT);
    return ends[1];
}

bool channel_send(struct channel *channel, json_t *order)
{
    struct buf line;
    char *text = json_dumps(order, JSON_COMPACT);
    buf_init(&line, LIMIT_EVENT);
    buf_print(&line, "%s\n", text ? text : "");
    const ssize_t n = channel->fd < 0 || !text || line.over
                          ? -1
                          : send(channel->fd, line.data, line.len,
                                 MSG_DONTWAIT | MSG_NOSIGNAL);
    const bool sent = n == (ssize_t)line.len;
    free(text);
    json_decref(order);
    buf_free(&line);
    return sent;
}

static void bytes_read(struct channel *channel)
{
    char block[4096];
    ssize_t n = 0;
    while (channel->fd >= 0 &&
           (n = recv(channel->fd, block, sizeof block, MSG_DONTWAIT)) > 0)
        if (!buf_add(&channel->in, block, (size_t)n))
            break;
    if (channel->fd >= 0 && (n == 0 || channel->in.over)) {
        close(channel->fd);
        channel->fd = -1;
    }
}

static json_t *line_take(struct channel *channel, size_t len)
{
    json_t *event = json_loadb(channel->in.data, len, 0, NULL);
    buf_drop(&channel->in, len + 1);
    if (json_is_object(event))
        return event;
    json_decref(event);
    return NULL;
}

json_t *channel_next(struct channel *channel)
{
    bytes_read(channel);
    json_t *event = NULL;
    const char *end = NULL;
    while (!event && channel->in.len > 0 &&
           (end = memchr(channel->in.data, '\n', channel->in.len)))
        event = line_take(channel, (size_t)(end - channel->in.data));
    return event;
}

void channel_close(struct channel *channel)
{
    if (channel->fd >= 0)
        close(channel->fd);
    channel->fd = -1;
    buf_free(&channel->in);
}
