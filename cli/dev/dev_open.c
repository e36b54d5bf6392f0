/* SPDX-License-Identifier: Apache-2.0
 *
 * The same doors that a real farm has, made on the way: nothing is served off
 * loopback without a token and keys.
 */
#include "cli/dev/dev_open.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/client.h"
#include "cli/doc.h"
#include "common/app/log.h"

#define GUESTS_MOST 64

bool dev_is_open(const struct dev *dev)
{
    return conf_get(dev->conf, "listen") != NULL;
}

void dev_make_token(struct dev *dev)
{
    char path[PATH_MAX], why[512];
    struct tokens tokens = {0};
    struct token token = {.name = "dev", .role = TOKEN_ADMIN};
    const struct passwd *who = getpwuid(getuid());
    snprintf(token.user, sizeof token.user, "%s",
             who == NULL ? "somebody" : who->pw_name);
    tokens_make(&tokens, &token, dev->token);
    if (!tokens_save(&tokens, dev_path(dev, "tokens", path), why, sizeof why))
        log_fatal(CLI_FAILED, "%s", why);
    tokens_free(&tokens);
}

/* The first IPv4 address that others can reach; "" when there is none. */
static void find_address(char *ret, size_t size)
{
    struct ifaddrs *all = NULL, *at;
    ret[0] = '\0';
    if (getifaddrs(&all) != 0)
        return;
    for (at = all; at != NULL && ret[0] == '\0'; at = at->ifa_next) {
        const void *address = at->ifa_addr;
        const struct sockaddr_in *v4 = address;
        if (v4 != NULL && v4->sin_family == AF_INET &&
            (at->ifa_flags & IFF_UP) != 0 &&
            (at->ifa_flags & IFF_LOOPBACK) == 0)
            inet_ntop(AF_INET, &v4->sin_addr, ret, (socklen_t)size);
    }
    freeifaddrs(all);
}

void dev_address(const char *listens, char *ret, size_t size)
{
    char host[64], found[INET_ADDRSTRLEN];
    int port = conf_address(listens, host, sizeof host);
    if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0) {
        find_address(found, sizeof found);
        snprintf(host, sizeof host, "%s",
                 found[0] != '\0' ? found : "127.0.0.1");
    }
    snprintf(ret, size, strchr(host, ':') != NULL ? "[%s]:%d" : "%s:%d", host,
             port);
}

/* Asks for a key; 201 and the join string, or the status. */
static int ask_key(const struct dev *dev, const char *method, const char *path,
                   const char *name, char ret[JOIN_SIZE])
{
    char url[80];
    struct reply reply;
    json_t *body = json_object();
    snprintf(url, sizeof url, "http://%s", dev->http);
    json_object_set_new(body, "name", json_string(name));
    json_object_set_new(body, "broker", json_string(url));
    struct ask ask = {.method = method, .path = path};
    ask.body = strcmp(method, "POST") == 0 ? body : NULL;
    struct client *client = client_new(url, dev->token, true);
    client_ask(client, &ask, &reply);
    snprintf(ret, JOIN_SIZE, "%s", doc_text(reply.json, "join"));
    int status = reply.status;
    if (status >= 400 && status != 404 && status != 409)
        fprintf(stderr, "frameq: no key for %s: %s\n", name, reply.why);
    reply_done(&reply);
    client_free(&client);
    json_decref(body);
    return status;
}

bool dev_key(const struct dev *dev, const char *name, char ret[JOIN_SIZE])
{
    char path[LIMIT_AGENT + 16];
    snprintf(path, sizeof path, "/v1/agents/%s", name);
    (void)ask_key(dev, "DELETE", path, name, ret); /* of an earlier --keep */
    return ask_key(dev, "POST", "/v1/agents", name, ret) == 201;
}

bool dev_guest(const struct dev *dev, char ret[JOIN_SIZE])
{
    int status = 409;
    char name[32];
    for (int i = 1; status == 409 && i <= GUESTS_MOST; i++) {
        snprintf(name, sizeof name, "guest-%d", i);
        status = ask_key(dev, "POST", "/v1/agents", name, ret);
    }
    return status == 201;
}
