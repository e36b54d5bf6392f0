/* SPDX-License-Identifier: Apache-2.0
 *
 * One record at a time each way: who does not read is not read from. Whoever
 * speaks HTTP to us is answered in HTTP, once.
 */
#include "common/http/tunnel.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/http/head.h"
#include "common/http/refusal.h"
#include "common/limits.h"
#include "common/mem.h"

#define RECORD          16384 /* bytes of a TLS record at most */
#define MOVES_PER_EVENT 16    /* then others' turns come */
#define HANDSHAKE       22    /* the first byte of TLS */

static bool later(ssize_t rc)
{
    return rc < 0 && gnutls_error_is_fatal((int)rc) == 0;
}

/* --- The handshake. --- */

/* The rest of what it sent is taken in, or the kernel's reset could overtake
 * the answer. */
static void tell_plain(const struct tunnel *tunnel)
{
    char bytes[4096];
    struct head head = {0};
    int fd = tunnel->outer.fd;
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n <= 0 || !head_starts(bytes, (size_t)n, &head))
        return;
    head_read(bytes, head_end(bytes, (size_t)n), &head);
    refusal_send(fd, &(struct refusal){
                         .rc = RC_INVALID,
                         .detail = "this port speaks https, not http: use an "
                                   "address that begins with https://",
                         .path = *head.target ? head.target : NULL,
                         .json = refusal_in_json(head.target, head.accept)});
    shutdown(fd, SHUT_WR);
}

/* Returns whether the client speaks TLS, as far as one byte tells. */
static bool greet(struct tunnel *tunnel)
{
    unsigned char first;
    ssize_t n = recv(tunnel->outer.fd, &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    tunnel->spoke = n == 1 && first == HANDSHAKE;
    tunnel->dead = !tunnel->spoke;
    if (n == 1 && !tunnel->spoke)
        tell_plain(tunnel);
    return tunnel->spoke;
}

static void shake_hands(struct tunnel *tunnel)
{
    if (!tunnel->spoke && !greet(tunnel))
        return;
    int rc = gnutls_handshake(tunnel->session);
    tunnel->open = rc == GNUTLS_E_SUCCESS;
    tunnel->dead = !tunnel->open && !later(rc);
    if (tunnel->dead)
        (void)gnutls_alert_send_appropriate(tunnel->session, rc);
}

/* --- Both ways. --- */

static bool is_full(const struct way *way)
{
    return way->at < way->len;
}

/* Makes room for a record, which most connections need seldom. */
static unsigned char *way_room(struct way *way)
{
    if (way->bytes == NULL)
        way->bytes = mem_new(RECORD);
    return way->bytes;
}

static void way_took(struct way *way, ssize_t n)
{
    way->ended = n <= 0;
    way->at = 0;
    way->len = n > 0 ? (size_t)n : 0;
}

static void way_rest(struct way *way)
{
    if (is_full(way))
        return;
    mem_free(way->bytes);
    way->bytes = NULL;
}

static bool read_client(struct tunnel *tunnel)
{
    struct way *in = &tunnel->in;
    if (in->ended || is_full(in))
        return false;
    ssize_t n = gnutls_record_recv(tunnel->session, way_room(in), RECORD);
    if (later(n))
        return false;
    tunnel->dead = n < 0; /* it vanished, without a word of TLS */
    way_took(in, n);
    if (n == 0)
        shutdown(tunnel->inner.fd, SHUT_WR);
    return n > 0;
}

/* What the server does not want any more is dropped, as it would be by a socket
 * that was shut. */
static bool write_server(struct tunnel *tunnel)
{
    struct way *in = &tunnel->in;
    if (!is_full(in))
        return false;
    ssize_t n = send(tunnel->inner.fd, in->bytes + in->at, in->len - in->at,
                     MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    in->at = n < 0 ? in->len : in->at + (size_t)n;
    return true;
}

static bool read_server(struct tunnel *tunnel)
{
    struct way *out = &tunnel->out;
    if (out->ended || is_full(out))
        return false;
    ssize_t n = recv(tunnel->inner.fd, way_room(out), RECORD, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    way_took(out, n);
    return n > 0;
}

static bool write_client(struct tunnel *tunnel)
{
    struct way *out = &tunnel->out;
    if (!is_full(out))
        return false;
    ssize_t n = gnutls_record_send(tunnel->session, out->bytes + out->at,
                                   out->len - out->at);
    if (later(n))
        return false;
    tunnel->dead = tunnel->dead || n < 0;
    out->at = n < 0 ? out->len : out->at + (size_t)n;
    return n >= 0;
}

/* Tells the client that there is no more, once it has all. */
static void say_end(struct tunnel *tunnel)
{
    if (tunnel->said || !tunnel->out.ended || is_full(&tunnel->out))
        return;
    int rc = gnutls_bye(tunnel->session, GNUTLS_SHUT_WR);
    tunnel->said = !later(rc);
    if (tunnel->said)
        shutdown(tunnel->outer.fd, SHUT_WR);
}

/* Returns whether there may be more to move. */
static bool pump(struct tunnel *tunnel)
{
    bool moved = true;
    for (int i = 0; i < MOVES_PER_EVENT && moved && !tunnel->dead; i++) {
        moved = read_client(tunnel);
        moved = write_server(tunnel) || moved;
        moved = read_server(tunnel) || moved;
        moved = write_client(tunnel) || moved;
    }
    way_rest(&tunnel->in);
    way_rest(&tunnel->out);
    if (!tunnel->dead)
        say_end(tunnel);
    if (tunnel->said && (tunnel->left || tunnel->in.ended))
        tunnel->dead = true;
    return moved;
}

void tunnel_flush(struct tunnel *tunnel)
{
    while (tunnel->open && !tunnel->dead && pump(tunnel))
        ;
}

/* --- What is waited for. --- */

static bool watch(const struct tunnel *tunnel, struct end *end, uint32_t waits,
                  int op)
{
    struct epoll_event event = {.events = waits, .data.ptr = end};
    if (op == EPOLL_CTL_MOD && end->waits == waits)
        return true;
    end->waits = waits;
    return epoll_ctl(tunnel->epoll, op, end->fd, &event) == 0;
}

static uint32_t wants(bool in, bool out)
{
    return (in ? (uint32_t)EPOLLIN : 0) | (out ? (uint32_t)EPOLLOUT : 0);
}

/* more: what stopped us was our own limit, so an event must come at once. */
static void watch_both(struct tunnel *tunnel, bool more)
{
    const struct way *in = &tunnel->in, *out = &tunnel->out;
    bool reads = !in->ended && !is_full(in);
    bool writes = more || is_full(out) || (out->ended && !tunnel->said);
    bool takes = is_full(in), gives = !out->ended && !is_full(out);
    if (!tunnel->open) {
        writes = gnutls_record_get_direction(tunnel->session) == 1;
        reads = !tunnel->spoke || !writes;
        takes = gives = false;
    }
    tunnel->dead =
        !watch(tunnel, &tunnel->outer, wants(reads, writes), EPOLL_CTL_MOD) ||
        (!tunnel->left &&
         !watch(tunnel, &tunnel->inner, wants(gives, takes), EPOLL_CTL_MOD));
}

/* An end that has hung up would tell so at every wait. What the server wrote
 * before it left is still to be had from the plain end. */
static void hang_up(struct tunnel *tunnel, const struct end *end,
                    int64_t now_ms)
{
    if (end == &tunnel->outer || !tunnel->open) {
        tunnel->dead = true;
        return;
    }
    epoll_ctl(tunnel->epoll, EPOLL_CTL_DEL, tunnel->inner.fd, NULL);
    tunnel->left = true;
    tunnel->deadline_ms = now_ms + LIMIT_REQUEST_MS;
}

void tunnel_event(const struct end *end, uint32_t events, int64_t now_ms)
{
    struct tunnel *tunnel = end->tunnel;
    bool more = false;
    if (tunnel->dead)
        return;
    if (!tunnel->open)
        shake_hands(tunnel);
    if ((events & (EPOLLHUP | EPOLLERR)) != 0 && !tunnel->dead)
        hang_up(tunnel, end, now_ms);
    if (tunnel->open && !tunnel->dead)
        more = pump(tunnel);
    if (!tunnel->dead)
        watch_both(tunnel, more);
}

bool tunnel_is_over(const struct tunnel *tunnel, int64_t now_ms)
{
    bool timed = !tunnel->open || tunnel->left;
    return tunnel->dead || (timed && now_ms >= tunnel->deadline_ms);
}

/* --- Beginning and end. --- */

static bool begin_session(struct tunnel *tunnel, gnutls_priority_t priority)
{
    static unsigned char name[] = "http/1.1";
    static const gnutls_datum_t protocol = {name, sizeof name - 1};
    if (gnutls_init(&tunnel->session,
                    GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL) != 0) {
        tunnel->session = NULL;
        return false;
    }
    gnutls_handshake_set_timeout(tunnel->session, 0); /* it is deadline_ms */
    gnutls_alpn_set_protocols(tunnel->session, &protocol, 1, 0);
    gnutls_transport_set_int(tunnel->session, tunnel->outer.fd);
    return gnutls_priority_set(tunnel->session, priority) == 0 &&
           gnutls_credentials_set(tunnel->session, GNUTLS_CRD_CERTIFICATE,
                                  tunnel->cert->credentials) == 0;
}

struct tunnel *tunnel_new(const struct tunnel_options *options)
{
    struct tunnel *tunnel = mem_new(sizeof *tunnel);
    tunnel->outer = (struct end){.tunnel = tunnel, .fd = options->outer};
    tunnel->inner = (struct end){.tunnel = tunnel, .fd = options->inner};
    tunnel->deadline_ms = options->now_ms + LIMIT_REQUEST_MS;
    tunnel->epoll = options->epoll;
    tunnel->cert = options->cert;
    tunnel->cert->users++;
    if (begin_session(tunnel, options->priority) &&
        watch(tunnel, &tunnel->inner, 0, EPOLL_CTL_ADD) &&
        watch(tunnel, &tunnel->outer, EPOLLIN, EPOLL_CTL_ADD))
        return tunnel;
    tunnel_free(tunnel);
    return NULL;
}

void tunnel_free(struct tunnel *tunnel)
{
    if (tunnel->session != NULL)
        gnutls_deinit(tunnel->session);
    close(tunnel->outer.fd);
    close(tunnel->inner.fd);
    if (--tunnel->cert->users == 0)
        cert_free(tunnel->cert);
    mem_free(tunnel->in.bytes);
    mem_free(tunnel->out.bytes);
    mem_free(tunnel);
}
