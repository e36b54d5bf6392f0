/* SPDX-License-Identifier: Apache-2.0
 *
 * Only socket_new.
 */
#include "broker/socket.h"

#include <assert.h>

#define HEARTBEAT_MS 2000
#define SILENCE_MS   6000 /* three heartbeats */
#define HANDSHAKE_MS 30000

zsock_t *socket_new(int type, int message_max, int linger_ms)
{
    zsock_t *sock = zsock_new(type);
    assert(sock);
    zsock_set_heartbeat_ivl(sock, HEARTBEAT_MS);
    zsock_set_heartbeat_timeout(sock, SILENCE_MS);
    zsock_set_handshake_ivl(sock, HANDSHAKE_MS);
    zsock_set_maxmsgsize(sock, message_max);
    zsock_set_linger(sock, linger_ms);
    return sock;
}
