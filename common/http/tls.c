/* SPDX-License-Identifier: Apache-2.0
 *
 * The thread, and how the server's loop reaches it: connections go through a
 * pipe, whose end is the thread's; a new certificate lies in one place until it
 * is taken. Nothing else is shared.
 */
#include "common/http/tls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utlist.h>

#include "common/app/clock.h"
#include "common/http/cert.h"
#include "common/http/tunnel.h"
#include "common/limits.h"
#include "common/mem.h"

#define EVENTS   64
#define LETTERS  64 /* read at once */
#define SWEEP_MS 500

/* Forward secrecy always; what is older than TLS 1.2 is refused. */
#define PRIORITY "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA"

/* A connection on its way to the thread. */
struct letter {
    int outer, inner;
};

struct tls {
    struct cert_files files;
    pthread_t thread;
    int letters[2];                 /* a pipe, full of whole letters */
    _Atomic(struct cert *) offered; /* not yet taken by the thread */

    /* The loop's: of the certificate that was read last. */
    unsigned char pin[CERT_PIN];
    bool self_signed;
    int64_t until_s;

    /* The thread's. */
    gnutls_priority_t priority;
    struct cert *cert;
    struct tunnel *tunnels;
    int epoll;
    int64_t now_ms, swept_ms;
};

/* --- The thread. --- */

static void take_cert(struct tls *tls)
{
    struct cert *cert = atomic_exchange(&tls->offered, NULL);
    if (cert == NULL)
        return;
    if (--tls->cert->users == 0)
        cert_free(tls->cert);
    tls->cert = cert;
    cert->users = 1;
}

static void add_tunnel(struct tls *tls, const struct letter *letter)
{
    struct tunnel *tunnel =
        tunnel_new(&(struct tunnel_options){.priority = tls->priority,
                                            .cert = tls->cert,
                                            .epoll = tls->epoll,
                                            .outer = letter->outer,
                                            .inner = letter->inner,
                                            .now_ms = tls->now_ms});
    if (tunnel != NULL)
        DL_APPEND(tls->tunnels, tunnel);
}

/* Returns false when no more will come. */
static bool read_letters(struct tls *tls)
{
    struct letter letters[LETTERS];
    ssize_t n = read(tls->letters[0], letters, sizeof letters);
    if (n > 0)
        take_cert(tls);
    for (size_t i = 0; n > 0 && i < (size_t)n / sizeof *letters; i++)
        add_tunnel(tls, &letters[i]);
    return n != 0;
}

static void remove_tunnel(struct tls *tls, struct tunnel *tunnel)
{
    DL_DELETE(tls->tunnels, tunnel);
    tunnel_free(tunnel);
}

/* Those the server has left and that still read are bounded: the oldest go. */
static void sweep(struct tls *tls)
{
    struct tunnel *tunnel, *next;
    size_t left = 0;
    tls->swept_ms = tls->now_ms;
    DL_FOREACH (tls->tunnels, tunnel)
        left += tunnel->left;
    DL_FOREACH_SAFE (tls->tunnels, tunnel, next) {
        bool goes = tunnel->left && left > LIMIT_LINGERERS;
        left -= goes;
        if (goes || tunnel_is_over(tunnel, tls->now_ms))
            remove_tunnel(tls, tunnel);
    }
}

/* Frees what the events have ended, one by one: a look at all tunnels for each
 * would be slow with many. An end may be named twice, so after all of them. */
static void bury(struct tls *tls, const struct epoll_event *events, int n)
{
    struct tunnel *dead[EVENTS];
    size_t n_dead = 0;
    for (int i = 0; i < n; i++) {
        const struct end *end = events[i].data.ptr;
        if (end == NULL || !end->tunnel->dead)
            continue;
        bool known = false;
        for (size_t k = 0; k < n_dead; k++)
            known = known || dead[k] == end->tunnel;
        if (!known)
            dead[n_dead++] = end->tunnel;
    }
    while (n_dead > 0)
        remove_tunnel(tls, dead[--n_dead]);
}

static bool run_once(struct tls *tls)
{
    struct epoll_event events[EVENTS];
    bool goes_on = true;
    int n = epoll_wait(tls->epoll, events, EVENTS, SWEEP_MS);
    tls->now_ms = clock_now_ms();
    for (int i = 0; i < n; i++)
        if (events[i].data.ptr == NULL)
            goes_on = read_letters(tls);
        else
            tunnel_event(events[i].data.ptr, events[i].events, tls->now_ms);
    bury(tls, events, n);
    if (tls->now_ms - tls->swept_ms >= SWEEP_MS)
        sweep(tls);
    return goes_on;
}

static void *run(void *ctx)
{
    struct tls *tls = ctx;
    while (run_once(tls))
        ;
    while (tls->tunnels != NULL) {
        tunnel_flush(tls->tunnels);
        remove_tunnel(tls, tls->tunnels);
    }
    return NULL;
}

/* --- The loop's side. --- */

static void note_cert(struct tls *tls, const struct cert *cert)
{
    memcpy(tls->pin, cert->pin, sizeof tls->pin);
    tls->self_signed = cert->self_signed;
    tls->until_s = cert->until_s;
}

/* Signals are for the program's own loop. */
static bool start_thread(struct tls *tls)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    errno = pthread_create(&tls->thread, NULL, run, tls);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return errno == 0;
}

static bool start(struct tls *tls)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (pipe2(tls->letters, O_CLOEXEC | O_NONBLOCK) != 0)
        return false;
    tls->epoll = epoll_create1(EPOLL_CLOEXEC);
    return tls->epoll >= 0 &&
           epoll_ctl(tls->epoll, EPOLL_CTL_ADD, tls->letters[0], &event) == 0 &&
           start_thread(tls);
}

static void release(struct tls *tls)
{
    const int fds[] = {tls->letters[0], tls->letters[1], tls->epoll};
    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
    gnutls_priority_deinit(tls->priority);
    cert_free(atomic_load(&tls->offered));
    cert_free(tls->cert);
    mem_free(tls);
}

struct tls *tls_open(const struct cert_files *files, char *why, size_t size)
{
    struct cert *cert = cert_read(files, why, size);
    if (cert == NULL)
        return NULL;
    struct tls *tls = mem_new(sizeof *tls);
    int rc = gnutls_priority_init(&tls->priority, PRIORITY, NULL);
    assert(rc == GNUTLS_E_SUCCESS);
    tls->files = *files;
    tls->letters[0] = tls->letters[1] = tls->epoll = -1;
    tls->cert = cert;
    cert->users = 1;
    note_cert(tls, cert);
    if (start(tls))
        return tls;
    snprintf(why, size, "cannot start a thread for TLS: %s", strerror(errno));
    release(tls);
    return NULL;
}

bool tls_renew(struct tls *tls, char *why, size_t size)
{
    struct cert *cert = cert_read(&tls->files, why, size);
    if (cert == NULL)
        return false;
    note_cert(tls, cert);
    cert_free(atomic_exchange(&tls->offered, cert));
    return true;
}

void tls_close(struct tls **tls_ref)
{
    struct tls *tls = *tls_ref;
    if (tls == NULL)
        return;
    close(tls->letters[1]);
    tls->letters[1] = -1;
    pthread_join(tls->thread, NULL);
    release(tls);
    *tls_ref = NULL;
}

const unsigned char *tls_pin(const struct tls *tls)
{
    return tls->self_signed ? tls->pin : NULL;
}

int64_t tls_until_s(const struct tls *tls)
{
    return tls->until_s;
}

int tls_take(struct tls *tls, int fd)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
                   pair) == 0) {
        const struct letter letter = {fd, pair[1]};
        if (write(tls->letters[1], &letter, sizeof letter) == sizeof letter)
            return pair[0];
        close(pair[0]);
        close(pair[1]);
    }
    close(fd);
    errno = EMFILE;
    return -1;
}
