/* SPDX-License-Identifier: Apache-2.0
 *
 * By libcurl's own reading, so that HTTP and ZeroMQ go to the same host.
 */
#include "worker-agent/address.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/app/net.h"

static bool read_part(CURLU *parts, CURLUPart part, char *ret, size_t size)
{
    char *text = NULL;
    if (curl_url_get(parts, part, &text, CURLU_DEFAULT_PORT) != CURLUE_OK)
        return false;
    int n = snprintf(ret, size, "%s", text);
    curl_free(text);
    return n > 0 && (size_t)n < size;
}

bool address_read(const char *url, struct address *ret)
{
    char port[16];
    struct address address;
    CURLU *parts = curl_url();
    bool read =
        curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        read_part(parts, CURLUPART_HOST, address.host, sizeof address.host) &&
        read_part(parts, CURLUPART_PORT, port, sizeof port);
    curl_url_cleanup(parts);
    if (!read)
        return false;
    address.port = (int)strtol(port, NULL, 10);
    *ret = address;
    return true;
}

bool address_is_local(const struct address *address)
{
    char host[ADDRESS_HOST_SIZE];
    bool v6 = address->host[0] == '[';
    snprintf(host, sizeof host, "%s", address->host + v6);
    host[strcspn(host, "]")] = '\0';
    return net_is_loopback(host);
}
