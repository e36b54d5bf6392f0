/* SPDX-License-Identifier: Apache-2.0
 *
 * See zap.h. A request is six frames and the key, an answer six frames; libzmq
 * sends them within the process. What a peer could have put in is its address
 * and its key, both of bounded length.
 */
#include "broker/agents/zap.h"

#include <assert.h>
#include <czmq.h>
#include <string.h>

#include "common/app/log.h"
#include "common/limits.h"
#include "common/mem.h"

#define ENDPOINT    "inproc://zeromq.zap.01"
#define KEY_BYTES   32
#define COMPLAIN_MS 10000

struct zap {
    zsock_t *sock; /* REP */
    struct keys *keys;
    uint64_t refused, told; /* of them, in the log */
    int64_t tell_ms;        /* not before */
};

struct zap *zap_open(struct keys *keys)
{
    struct zap *zap = mem_new(sizeof *zap);
    zap->keys = keys;
    zap->sock = zsock_new(ZMQ_REP);
    assert(zap->sock);
    zsock_set_linger(zap->sock, 0);
    int rc = zsock_bind(zap->sock, ENDPOINT);
    assert(rc == 0);
    return zap;
}

void zap_close(struct zap **zap_ref)
{
    struct zap *zap = *zap_ref;
    if (!zap)
        return;
    zsock_destroy(&zap->sock);
    mem_free(zap);
    *zap_ref = NULL;
}

void *zap_socket(const struct zap *zap)
{
    return zsock_resolve(zap->sock);
}

static bool opens(const struct key *key, const char *domain)
{
    if (strncmp(domain, ZAP_LANE, strlen(ZAP_LANE)) == 0)
        return strcmp(domain + strlen(ZAP_LANE), key->token.name) == 0;
    return strcmp(domain, ZAP_STATUS) == 0 || strcmp(domain, ZAP_CONTROL) == 0;
}

bool zap_admits(struct keys *keys, const char *domain, const char *public,
                const char *address)
{
    struct key *key = keys_find(keys, public);
    bool watcher = strcmp(public, keys_watch_public(keys)) == 0;
    bool admitted =
        watcher ? strcmp(domain, ZAP_FEED) == 0 : key && opens(key, domain);
    if (admitted)
        keys_seen(keys, key, address);
    return admitted;
}

/* One request; texts are "" where they were too long. */
struct request {
    char id[64], domain[ZAP_DOMAIN], address[KEY_ADDRESS], mechanism[16];
    char public[CURVE_KEY_SIZE];
};

static void copy_frame(zframe_t *frame, char *ret, size_t size)
{
    size_t len = frame == NULL ? 0 : zframe_size(frame);
    if (len >= size)
        len = 0;
    if (len > 0)
        memcpy(ret, zframe_data(frame), len);
    ret[len] = '\0';
}

/* version, id, domain, address, routing id, mechanism, key */
static void request_read(zmsg_t *msg, struct request *ret)
{
    zmsg_first(msg);
    copy_frame(zmsg_next(msg), ret->id, sizeof ret->id);
    copy_frame(zmsg_next(msg), ret->domain, sizeof ret->domain);
    copy_frame(zmsg_next(msg), ret->address, sizeof ret->address);
    zmsg_next(msg);
    copy_frame(zmsg_next(msg), ret->mechanism, sizeof ret->mechanism);
    zframe_t *key = zmsg_next(msg);
    ret->public[0] = '\0';
    if (key != NULL && zframe_size(key) == KEY_BYTES)
        zmq_z85_encode(ret->public, zframe_data(key), KEY_BYTES);
}

static void answer(const struct zap *zap, const struct request *request,
                   bool admitted)
{
    zstr_sendm(zap->sock, "1.0");
    zstr_sendm(zap->sock, request->id);
    zstr_sendm(zap->sock, admitted ? "200" : "400");
    zstr_sendm(zap->sock, admitted ? "OK" : "no such key");
    zstr_sendm(zap->sock, admitted ? request->public : ""); /* User-Id */
    zstr_send(zap->sock, "");
}

/* Somebody may try a thousand times a second: the log has few lines of it. */
static void refuse(struct zap *zap, const struct request *request,
                   int64_t now_ms)
{
    zap->refused++;
    if (now_ms < zap->tell_ms)
        return;
    log_warn("key_refused", "socket=%s address=%s key=%s refused=%llu",
             log_quoted(request->domain), log_quoted(request->address),
             log_quoted(request->public),
             (unsigned long long)(zap->refused - zap->told));
    zap->told = zap->refused;
    zap->tell_ms = now_ms + COMPLAIN_MS;
}

static bool take(struct zap *zap, int64_t now_ms)
{
    struct request request;
    if (!(zsock_events(zap->sock) & ZMQ_POLLIN))
        return false;
    zmsg_t *msg = zmsg_recv(zap->sock);
    if (msg == NULL)
        return false;
    request_read(msg, &request);
    bool admitted =
        strcmp(request.mechanism, "CURVE") == 0 &&
        zap_admits(zap->keys, request.domain, request.public, request.address);
    answer(zap, &request, admitted);
    if (!admitted)
        refuse(zap, &request, now_ms);
    zmsg_destroy(&msg);
    return true;
}

uint64_t zap_run(struct zap *zap, int64_t now_ms)
{
    uint64_t before = zap->refused;
    for (int i = 0; i < LIMIT_DRAIN_PER_TURN && take(zap, now_ms); i++)
        ;
    return zap->refused - before;
}
