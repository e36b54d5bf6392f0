/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS in front of the HTTP server: a thread that takes connections, does the
 * cryptography, and hands on what they say through a pair of sockets. So the
 * server looks at plain bytes before libmicrohttpd does, as it always does
 * (gate.c), which libmicrohttpd's own TLS would hide from it; and no handshake
 * keeps its loop waiting. TLS 1.2 and 1.3; clients show no certificates.
 */
#ifndef FRAMEQ_COMMON_HTTP_TLS_H
#define FRAMEQ_COMMON_HTTP_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls;

/* PEM: the server's certificate first, those between it and the root behind it;
 * and its key. Borrowed. */
struct cert_files {
    const char *cert, *key;
};

#define CERT_PIN 32 /* bytes of the SHA-256 of a public key */

/* tls_open reads the files (cert_read; their names are borrowed) and starts the
 * thread. NULL with the reason in why. */
struct tls *tls_open(const struct cert_files *files, char *why, size_t size);

/* tls_renew reads the files again: connections from now on get what is there,
 * those that are open go on with theirs. Returns false with the reason in why
 * when they cannot be used, and keeps the old certificate. */
bool tls_renew(struct tls *tls, char *why, size_t size);

/* tls_close ends the thread and all connections, once what the server has
 * written went as far as it goes without waiting; nulls. Not before
 * httpd_close. */
void tls_close(struct tls **tls);

/* tls_pin returns the CERT_PIN bytes that a client can tell the certificate's
 * key by, where nobody else vouches for it; NULL for one that an authority has
 * signed. tls_until_s returns when it expires. */
const unsigned char *tls_pin(const struct tls *tls);
int64_t tls_until_s(const struct tls *tls);

/* tls_take takes an accepted socket, which does not block, and returns one that
 * speaks plain; -1 with errno EMFILE when there is none to be had, the socket
 * is closed then. Whoever closes the plain one ends the connection, once what
 * was written has gone. */
int tls_take(struct tls *tls, int fd);

#endif
