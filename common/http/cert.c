/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a certificate has expired is its clients' business: a server that
 * starts with an old one serves, and whoever minds does not.
 */
#include "common/http/cert.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <string.h>
#include <unistd.h>

#include "common/app/fields.h"
#include "common/app/private.h"
#include "common/buf.h"
#include "common/limits.h"
#include "common/mem.h"

#define CHAIN_MAX 16

struct chain {
    gnutls_x509_crt_t at[CHAIN_MAX];
    unsigned n;
};

static gnutls_datum_t datum_of(const struct buf *bytes)
{
    return (gnutls_datum_t){(unsigned char *)bytes->data, (unsigned)bytes->len};
}

static bool read_chain(const char *path, struct chain *ret, char *why,
                       size_t size)
{
    char reason[256];
    struct buf bytes;
    buf_init(&bytes, LIMIT_CERT);
    ret->n = CHAIN_MAX;
    bool ok = private_bytes(path, false, &bytes, reason, sizeof reason);
    gnutls_datum_t datum = datum_of(&bytes);
    int rc = ok ? gnutls_x509_crt_list_import(
                      ret->at, &ret->n, &datum, GNUTLS_X509_FMT_PEM,
                      GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED)
                : 0;
    buf_free(&bytes);
    if (!ok)
        return field_refuse(why, size, "--tls-cert %s: %s", path, reason);
    if (rc > 0)
        return true;
    return field_refuse(why, size,
                        "--tls-cert %s: no certificate in PEM can be read "
                        "there (%s)",
                        path, gnutls_strerror(rc));
}

static const char *key_fault(int rc)
{
    return rc == GNUTLS_E_DECRYPTION_FAILED
               ? "it is locked by a password, which nobody would type at a "
                 "restart: store it without"
               : "no private key in PEM can be read there";
}

static bool read_key(const char *path, gnutls_x509_privkey_t key, char *why,
                     size_t size)
{
    char reason[256];
    struct buf bytes;
    buf_init(&bytes, LIMIT_CERT);
    bool ok = private_bytes(path, true, &bytes, reason, sizeof reason);
    gnutls_datum_t datum = datum_of(&bytes);
    int rc = ok ? gnutls_x509_privkey_import2(key, &datum, GNUTLS_X509_FMT_PEM,
                                              NULL, 0)
                : 0;
    buf_free(&bytes);
    if (!ok)
        return field_refuse(why, size, "--tls-key %s: %s", path, reason);
    if (rc == GNUTLS_E_SUCCESS)
        return true;
    return field_refuse(why, size, "--tls-key %s: %s (%s)", path, key_fault(rc),
                        gnutls_strerror(rc));
}

static bool join(struct cert *cert, struct chain *chain,
                 const struct cert_files *files, char *why, size_t size)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_privkey_init(&key);
    bool ok = read_key(files->key, key, why, size);
    int rc = ok ? gnutls_certificate_set_x509_key(cert->credentials, chain->at,
                                                  (int)chain->n, key)
                : 0;
    gnutls_x509_privkey_deinit(key);
    if (rc == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
        return field_refuse(why, size,
                            "--tls-key %s is not the key of the first "
                            "certificate in --tls-cert %s",
                            files->key, files->cert);
    if (rc < 0)
        return field_refuse(why, size, "--tls-cert %s and --tls-key %s: %s",
                            files->cert, files->key, gnutls_strerror(rc));
    return ok;
}

static void look(struct cert *cert, gnutls_x509_crt_t own)
{
    size_t n = sizeof cert->pin;
    int rc =
        gnutls_x509_crt_get_key_id(own, GNUTLS_KEYID_USE_SHA256, cert->pin, &n);
    assert(rc == GNUTLS_E_SUCCESS && n == sizeof cert->pin);
    cert->self_signed = gnutls_x509_crt_check_issuer(own, own) != 0;
    cert->until_s = (int64_t)gnutls_x509_crt_get_expiration_time(own);
}

struct cert *cert_read(const struct cert_files *files, char *why, size_t size)
{
    struct chain chain = {0};
    if (!read_chain(files->cert, &chain, why, size))
        return NULL;
    struct cert *cert = mem_new(sizeof *cert);
    int rc = gnutls_certificate_allocate_credentials(&cert->credentials);
    assert(rc == GNUTLS_E_SUCCESS);
    look(cert, chain.at[0]);
    bool ok = join(cert, &chain, files, why, size);
    for (unsigned i = 0; i < chain.n; i++)
        gnutls_x509_crt_deinit(chain.at[i]);
    if (ok)
        return cert;
    cert_free(cert);
    return NULL;
}

void cert_free(struct cert *cert)
{
    if (cert == NULL)
        return;
    gnutls_certificate_free_credentials(cert->credentials);
    mem_free(cert);
}
