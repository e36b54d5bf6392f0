/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a client writes into X-Forwarded-For, what a trusted proxy adds
 * behind it counts. The input is two lines: --proxy, and the header.
 */
#include "common/http/forwarded.h"

#include <assert.h>
#include <string.h>

#include "tests/fuzz/fuzz_bytes.h"

#define CLIENT "192.0.2.77"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_client(const struct proxies *proxies, const char *list,
                         struct arena *arena)
{
    char client[NET_TEXT];
    struct net net;
    forwarded_client(proxies, "10.1.0.1", list, client);
    assert(net_parse(client, &net));
    if (!proxies_have(proxies, "10.1.0.1"))
        assert(strcmp(client, "10.1.0.1") == 0);
    else if (!proxies_have(proxies, CLIENT)) {
        list = arena_print(arena, "%s, " CLIENT, list);
        forwarded_client(proxies, "10.1.0.1", list, client);
        assert(strcmp(client, CLIENT) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct arena arena;
    struct fuzz_bytes in = {bytes, len};
    struct proxies proxies;
    arena_reset(&arena);
    const char *list = fuzz_text(&in, '\n', &arena);
    const char *value = fuzz_text(&in, '\n', &arena);
    const char *last = forwarded_last(value);
    assert(value <= last && last <= value + strlen(value));
    if (!proxies_read(list, &proxies))
        return 0;
    assert(0 < proxies.n && proxies.n <= LIMIT_PROXIES);
    check_client(&proxies, value, &arena);
    return 0;
}
