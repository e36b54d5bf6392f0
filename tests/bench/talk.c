/* SPDX-License-Identifier: Apache-2.0
 *
 * Requests are written blocking: they are small and the broker reads at once.
 */
#include "tests/bench/talk.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/app/conf.h"
#include "common/app/log.h"
#include "common/limits.h"

#define ANSWER_MAX (4 * 1024 * 1024)

const char *talk_is_connections(const char *value)
{
    const char *reason = conf_is_count(value);
    if (reason == NULL && strtol(value, NULL, 10) > LIMIT_CONNECTIONS)
        reason = "more connections than a broker takes";
    return reason;
}

int talk_dial(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

void talk_open(struct talk *talk, int port)
{
    *talk = (struct talk){.fd = talk_dial(port)};
    buf_init(&talk->in, ANSWER_MAX);
    if (talk->fd < 0)
        log_fatal(1, "cannot connect to port %d: %s", port, strerror(errno));
}

void talk_close(struct talk *talk)
{
    close(talk->fd);
    buf_free(&talk->in);
}

static void write_all(int fd, const struct buf *out)
{
    if (write(fd, out->data, out->len) != (ssize_t)out->len)
        log_fatal(1, "cannot send a request: %s", strerror(errno));
}

void talk_send(struct talk *talk, const char *method, const char *path,
               const char *body)
{
    struct buf out;
    buf_init(&out, ANSWER_MAX);
    buf_print(&out, "%s %s HTTP/1.1\r\nHost: localhost\r\n", method, path);
    if (body != NULL)
        buf_print(&out,
                  "Content-Type: application/json\r\n"
                  "Content-Length: %zu\r\n",
                  strlen(body));
    buf_print(&out, "\r\n%s", body == NULL ? "" : body);
    write_all(talk->fd, &out);
    buf_free(&out);
    buf_clear(&talk->in);
    talk->head = talk->body = 0;
}

/* Finds where the head ends and how long the body is. */
static void read_head(struct talk *talk)
{
    const char *text = buf_text(&talk->in);
    const char *end = strstr(text, "\r\n\r\n");
    if (talk->head > 0 || end == NULL)
        return;
    const char *length = strcasestr(text, "\r\ncontent-length:");
    talk->head = (size_t)(end - text) + 4;
    if (length != NULL && length < end)
        talk->body = strtoul(strchr(length, ':') + 1, NULL, 10);
}

int talk_take(struct talk *talk)
{
    char block[16384];
    ssize_t n = recv(talk->fd, block, sizeof block, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        log_fatal(1, "the broker closed a connection");
    buf_add(&talk->in, block, (size_t)n);
    read_head(talk);
    if (talk->head == 0 || talk->in.len < talk->head + talk->body)
        return 0;
    return (int)strtol(buf_text(&talk->in) + strlen("HTTP/1.1 "), NULL, 10);
}

const char *talk_body(const struct talk *talk)
{
    return buf_text(&talk->in) + talk->head;
}

int talk_request(struct talk *talk, const char *method, const char *path,
                 const char *body)
{
    int status = 0;
    talk_send(talk, method, path, body);
    while (status == 0) {
        struct pollfd item = {.fd = talk->fd, .events = POLLIN};
        poll(&item, 1, -1);
        status = talk_take(talk);
    }
    return status;
}
