/* SPDX-License-Identifier: Apache-2.0
 *
 * recv of this program, in place of the C library's: what libzmq reads of its
 * peers comes through here. libzmq holds the parts of a message until the last
 * has come, and its bounds are for one part, and for whole messages: a peer
 * that never sends the last one makes the program grow until the system ends
 * it. So the frames are followed here, and a message that is larger than any
 * ends the connection, as if the peer had. Refuses to look into a part; of
 * those with CURVE nothing can be told here but their size (curve.c).
 */
#include <netdb.h>
#include <sys/socket.h>

#include "common/table.h"
#include "common/zmq/guard.h"
#include "common/zmtp.h"

struct stream {
    int fd;
    struct zmtp_stream zmtp;
    UT_hash_handle hh;
};

/* A connection belongs to one thread of libzmq's. */
static _Thread_local struct stream *streams; /* by fd */

static struct stream *stream_find(int fd)
{
    struct stream *stream = NULL;
    HASH_FIND_INT(streams, &fd, stream);
    return stream;
}

void stream_close(int fd)
{
    struct stream *stream = stream_find(fd);
    if (stream == NULL)
        return;
    HASH_DEL(streams, stream);
    mem_free(stream);
}

void stream_open(int fd)
{
    stream_close(fd);
    struct stream *stream = mem_new(sizeof *stream);
    stream->fd = fd;
    HASH_ADD_INT(streams, fd, stream);
}

static void tell(int fd)
{
    struct sockaddr_storage at = {0};
    socklen_t len = sizeof at;
    char host[NI_MAXHOST] = "";
    if (getpeername(fd, (struct sockaddr *)&at, &len) == 0)
        (void)getnameinfo((struct sockaddr *)&at, len, host, sizeof host, NULL,
                          0, NI_NUMERICHOST);
    cut_told(host);
}

/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): the C
 * library's names of parameters are reserved. */
ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
    ssize_t n = recvfrom(fd, bytes, size, flags, NULL, NULL);
    struct stream *stream = n > 0 ? stream_find(fd) : NULL;
    if (stream == NULL || zmtp_follow(&stream->zmtp, bytes, (size_t)n))
        return n;
    tell(fd);
    return 0;
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
