/* SPDX-License-Identifier: Apache-2.0
 *
 * A certificate for 127.0.0.1 that nobody vouches for, and its key, as files
 * hold them. Included by one test program at a time.
 */
#ifndef FRAMEQ_TESTS_UNIT_OWN_CERT_H
#define FRAMEQ_TESTS_UNIT_OWN_CERT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <gnutls/x509.h>
#include <time.h>
#include <unistd.h>

/* PEM; own_cert_free. */
struct own_cert {
    gnutls_datum_t cert, key;
};

static inline void own_cert_sign(gnutls_x509_crt_t cert,
                                 gnutls_x509_privkey_t key)
{
    static const unsigned char here[] = {127, 0, 0, 1};
    unsigned char serial = 1;
    gnutls_x509_crt_set_version(cert, 3);
    gnutls_x509_crt_set_serial(cert, &serial, 1);
    gnutls_x509_crt_set_dn_by_oid(cert, GNUTLS_OID_X520_COMMON_NAME, 0, "farm",
                                  4);
    gnutls_x509_crt_set_subject_alt_name(cert, GNUTLS_SAN_IPADDRESS, here,
                                         sizeof here, 0);
    gnutls_x509_crt_set_activation_time(cert, time(NULL) - 60);
    gnutls_x509_crt_set_expiration_time(cert, time(NULL) + 3600);
    gnutls_x509_crt_set_key(cert, key);
    assert_int_equal(
        gnutls_x509_crt_sign2(cert, cert, key, GNUTLS_DIG_SHA256, 0), 0);
}

static inline struct own_cert own_cert_make(void)
{
    struct own_cert own;
    gnutls_x509_crt_t cert;
    gnutls_x509_privkey_t key;
    gnutls_x509_privkey_init(&key);
    gnutls_x509_crt_init(&cert);
    assert_int_equal(gnutls_x509_privkey_generate(
                         key, GNUTLS_PK_ECDSA,
                         GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    own_cert_sign(cert, key);
    gnutls_x509_crt_export2(cert, GNUTLS_X509_FMT_PEM, &own.cert);
    gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &own.key);
    gnutls_x509_crt_deinit(cert);
    gnutls_x509_privkey_deinit(key);
    return own;
}

static inline void own_cert_free(struct own_cert *own)
{
    gnutls_free(own->cert.data);
    gnutls_free(own->key.data);
}

/* Writes a file of its user's alone, with bytes before what is of PEM. */
static inline void own_cert_write(const char *path, const char *before,
                                  size_t n_before, const gnutls_datum_t *pem)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, before, n_before), n_before);
    assert_int_equal(write(fd, pem->data, pem->size), pem->size);
    close(fd);
}

#endif
