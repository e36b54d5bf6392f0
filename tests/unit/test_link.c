/* SPDX-License-Identifier: Apache-2.0
 *
 * The link while nobody reads it, as when the broker ends: what libzmq tells of
 * connections must not stop its thread, which holds what link_close needs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <czmq.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "broker/agents/link.h"

/* Two events each; libzmq's own limits allow 2,000 of them. */
#define CONNECTIONS 1500
#define PATIENCE_S  20

static int peer_open(int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* libzmq's thread lives as long as it greets who comes. */
static void meet(int port)
{
    char byte;
    int fd = peer_open(port);
    assert_int_equal(recv(fd, &byte, 1, 0), 1);
    close(fd);
}

static void test_nobody_reads_the_monitor(void **state)
{
    const struct link_options options = {
        .host = "127.0.0.1", .lanes_low = 20000, .lanes_high = 20000};
    char why[256];
    (void)state;
    zsys_handler_set(NULL);
    struct link *link = link_open(&options, why, sizeof why);
    assert_non_null(link);
    for (int i = 0; i < CONNECTIONS; i++)
        meet(link_status_port(link));
    link_close(&link);
    assert_null(link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_reads_the_monitor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
