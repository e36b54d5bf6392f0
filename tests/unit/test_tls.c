/* SPDX-License-Identifier: Apache-2.0
 *
 * TLS in front of the server: who does not come through the handshake is cut,
 * and leaves nothing behind; what is refused of the files of a certificate.
 * That requests come through is tests/system/test_412_tls.py's.
 */
#include "tests/unit/http_world.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "common/http/tls.h"
#include "common/limits.h"
#include "tests/unit/own_cert.h"

#define PATH_SIZE 256

static struct {
    char dir[64], cert[PATH_SIZE], key[PATH_SIZE], padded[PATH_SIZE];
    struct own_cert pem;
    struct cert_files both;
    struct tls *tls;
} own;

static int files_open(void **state)
{
    (void)state;
    snprintf(own.dir, sizeof own.dir, "/tmp/frameq-tls-XXXXXX");
    assert_non_null(mkdtemp(own.dir));
    snprintf(own.cert, PATH_SIZE, "%s/cert", own.dir);
    snprintf(own.key, PATH_SIZE, "%s/key", own.dir);
    snprintf(own.padded, PATH_SIZE, "%s/padded", own.dir);
    own.pem = own_cert_make();
    own_cert_write(own.cert, "", 0, &own.pem.cert);
    own_cert_write(own.key, "", 0, &own.pem.key);
    own.both = (struct cert_files){own.cert, own.key};
    return 0;
}

static int files_close(void **state)
{
    (void)state;
    unlink(own.cert);
    unlink(own.key);
    unlink(own.padded);
    rmdir(own.dir);
    own_cert_free(&own.pem);
    return 0;
}

static size_t count_descriptors(void)
{
    size_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static void serve(unsigned connections)
{
    char why[512];
    own.tls = tls_open(&own.both, why, sizeof why);
    assert_non_null(own.tls);
    world_open(
        (struct httpd_options){.tls = own.tls, .connections = connections});
}

static int stop(void **state)
{
    world_teardown(state);
    tls_close(&own.tls);
    assert_null(own.tls);
    return 0;
}

/* Reads until the server has closed, whatever comes until then. */
static void await_end(int fd, struct buf *in)
{
    while (client_read(fd, in) > 0)
        ;
}

/* Turns the server until its descriptors are as many as before. */
static void await_descriptors(size_t n)
{
    int64_t deadline = real_ms() + PATIENCE_MS;
    while (count_descriptors() != n) {
        assert_true(real_ms() < deadline);
        world_turn(-1, 0);
    }
}

/* --- Connections. --- */

/* The beginning of a handshake: a record of 512 bytes, of which 16 come. */
static const char half[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
                           "abcde";

static void a_slow_handshake_is_cut(void **state)
{
    (void)state;
    struct buf in;
    serve(0);
    buf_init(&in, 1 << 16);
    size_t before = count_descriptors();
    int silent = client_open(), slow = client_open();
    assert_true(client_try(slow, half, sizeof half - 1));
    while (count_descriptors() < before + 8) /* two of ours, six of theirs */
        world_turn(-1, 0);
    world.skew_ms += LIMIT_REQUEST_MS - 1000;
    client_send(slow, "f");
    httpd_run(world.httpd);
    assert_int_equal(count_descriptors(), before + 8);
    world.skew_ms += 1000;
    await_end(slow, &in);
    await_end(silent, &in);
    assert_int_equal(in.len, 0);
    close(slow);
    close(silent);
    await_descriptors(before);
    assert_int_equal(world.handled, 0);
    buf_free(&in);
}

static void plain_http_is_told_so(void **state)
{
    (void)state;
    struct buf in;
    serve(0);
    size_t before = count_descriptors();
    buf_init(&in, 1 << 16);
    int fd = client_open();
    client_send(fd, GET("/v1/jobs"));
    await_end(fd, &in);
    assert_starts(buf_text(&in), "HTTP/1.1 400 Bad Request\r\n"
                                 "Content-Type: application/problem+json");
    assert_non_null(strstr(buf_text(&in), "begins with https://"));
    close(fd);
    buf_clear(&in);
    fd = client_open();
    client_send(fd, "\x01\x02 nonsense");
    await_end(fd, &in);
    assert_int_equal(in.len, 0);
    close(fd);
    await_descriptors(before);
    buf_free(&in);
}

static void who_vanishes_leaves_nothing(void **state)
{
    (void)state;
    serve(0);
    size_t before = count_descriptors();
    for (int i = 0; i < 20; i++) {
        int fd = client_open();
        if (i % 2 == 0)
            assert_true(client_try(fd, half, 1 + (size_t)i % 15));
        if (i % 3 == 0)
            client_vanish(fd);
        else
            close(fd);
        world_turn(-1, 0);
    }
    await_descriptors(before);
}

/* At the limit a connection that does nothing makes room for the next. */
static void many_are_bounded(void **state)
{
    (void)state;
    int fds[12];
    struct buf in;
    serve(10);
    buf_init(&in, 1 << 16);
    size_t before = count_descriptors();
    for (int i = 0; i < 12; i++) {
        fds[i] = client_open();
        assert_true(client_try(fds[i], half, sizeof half - 1));
    }
    await_end(fds[0], &in);
    await_end(fds[1], &in);
    await_descriptors(before + 12 + 10 * 2 + 10);
    for (int i = 0; i < 12; i++)
        close(fds[i]);
    await_descriptors(before);
    buf_free(&in);
}

/* The server may end with connections in any state. */
static void an_end_with_open_ones(void **state)
{
    (void)state;
    serve(0);
    size_t before = count_descriptors();
    int silent = client_open(), slow = client_open();
    assert_true(client_try(slow, half, sizeof half - 1));
    while (count_descriptors() < before + 8)
        world_turn(-1, 0);
    close(silent);
    close(slow);
}

/* --- Files. --- */

static void assert_refused(const char *cert, const char *key, const char *word)
{
    char why[512] = "";
    const struct cert_files files = {cert, key};
    if (tls_open(&files, why, sizeof why) != NULL)
        fail_msg("taken: %s %s", cert, key);
    if (strstr(why, word) == NULL)
        fail_msg("`%s` does not say `%s`", why, word);
}

static void files_that_are_refused(void **state)
{
    (void)state;
    char none[PATH_SIZE + 8];
    snprintf(none, sizeof none, "%s/none", own.dir);
    assert_refused(none, own.key, "none: No such file");
    assert_refused(own.cert, none, "none: No such file");
    assert_refused(own.dir, own.key, "Is a directory");
    assert_refused(own.key, own.key, "--tls-cert");
    assert_refused(own.cert, own.cert, "no private key");
    struct own_cert other = own_cert_make();
    own_cert_write(own.padded, "", 0, &other.key);
    assert_refused(own.cert, own.padded, "is not the key of");
    own_cert_free(&other);
    chmod(own.key, 0640);
    assert_refused(own.cert, own.key, "make it mode 0600");
    chmod(own.key, 0600);
}

static void files_as_large_as_the_limit(void **state)
{
    (void)state;
    char blanks[LIMIT_CERT], why[512];
    size_t n = LIMIT_CERT - own.pem.cert.size;
    const struct cert_files files = {own.padded, own.key};
    memset(blanks, '\n', sizeof blanks);
    own_cert_write(own.padded, blanks, n, &own.pem.cert);
    struct tls *tls = tls_open(&files, why, sizeof why);
    assert_non_null(tls);
    assert_non_null(tls_pin(tls)); /* self-signed */
    assert_true(tls_until_s(tls) > time(NULL));
    own_cert_write(own.padded, blanks, n + 1, &own.pem.cert);
    assert_false(tls_renew(tls, why, sizeof why));
    assert_non_null(strstr(why, "larger than"));
    own_cert_write(own.padded, blanks, n, &own.pem.cert);
    assert_true(tls_renew(tls, why, sizeof why)); /* twice, and never used */
    assert_true(tls_renew(tls, why, sizeof why));
    tls_close(&tls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_slow_handshake_is_cut, stop),
        cmocka_unit_test_teardown(plain_http_is_told_so, stop),
        cmocka_unit_test_teardown(who_vanishes_leaves_nothing, stop),
        cmocka_unit_test_teardown(many_are_bounded, stop),
        cmocka_unit_test_teardown(an_end_with_open_ones, stop),
        cmocka_unit_test(files_that_are_refused),
        cmocka_unit_test(files_as_large_as_the_limit),
    };
    return cmocka_run_group_tests(tests, files_open, files_close);
}
