/* SPDX-License-Identifier: Apache-2.0
 *
 * A server's certificate and its key, as files hold them.
 */
#ifndef FRAMEQ_COMMON_HTTP_CERT_H
#define FRAMEQ_COMMON_HTTP_CERT_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/http/tls.h"

struct cert {
    gnutls_certificate_credentials_t credentials;
    unsigned char pin[CERT_PIN]; /* of its public key, as RFC 7469 has it */
    bool self_signed;            /* so that nobody else vouches for it */
    int64_t until_s;             /* when it expires, since 1970 */
    size_t users;                /* its owner's count */
};

/* cert_read reads both, at most LIMIT_CERT bytes each. The key's must be of
 * nobody but its owner. Owned by the caller: cert_free. NULL with the reason in
 * why, which names the file. */
struct cert *cert_read(const struct cert_files *files, char *why, size_t size);
void cert_free(struct cert *cert);

#endif
