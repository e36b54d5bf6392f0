/* SPDX-License-Identifier: Apache-2.0
 *
 * See lanes.h. Sockets are write-only and never polled: what an agent took
 * shows in its STATE.
 */
#include "broker/agents/lanes.h"

#include <assert.h>
#include <czmq.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/agents/socket.h"
#include "broker/agents/zap.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/table.h"

#define HEARTBEAT_MS 6000

struct lane {
    char agent[LIMIT_AGENT + 1];
    uint64_t id;
    int port;
    zsock_t *push;
    UT_hash_handle hh;
};

struct lanes {
    char *host;
    const char *key;
    int low, high;
    int64_t *rested_ms; /* by port - low: free from then on; -1: in use */
    struct lane *by_agent;
};

struct lanes *lanes_new(const char *host, int low, int high, const char *key)
{
    assert(low > 0 && high >= low);
    struct lanes *lanes = mem_new(sizeof *lanes);
    lanes->host = mem_text(host);
    lanes->key = key;
    lanes->low = low;
    lanes->high = high;
    lanes->rested_ms =
        mem_new((size_t)(high - low + 1) * sizeof *lanes->rested_ms);
    return lanes;
}

static void lane_end(struct lanes *lanes, struct lane *lane, int64_t now_ms)
{
    HASH_DEL(lanes->by_agent, lane);
    zsock_destroy(&lane->push);
    lanes->rested_ms[lane->port - lanes->low] = now_ms + LANES_REST_MS;
    mem_free(lane);
}

void lanes_free(struct lanes **lanes_ref)
{
    struct lanes *lanes = *lanes_ref;
    if (!lanes)
        return;
    while (lanes->by_agent)
        lane_end(lanes, lanes->by_agent, 0);
    mem_free(lanes->rested_ms);
    mem_free(lanes->host);
    mem_free(lanes);
    *lanes_ref = NULL;
}

static struct lane *lane_find(const struct lanes *lanes, const char *agent)
{
    struct lane *lane = NULL;
    HASH_FIND_STR(lanes->by_agent, agent, lane);
    return lane;
}

static zsock_t *push_new(const char *key, const char *agent)
{
    char domain[ZAP_DOMAIN];
    snprintf(domain, sizeof domain, ZAP_LANE "%s", agent);
    /* Nobody has to send anything here, and what is sent is never read: only
     * a heartbeat finds that who did it is gone. */
    zsock_t *push =
        socket_new(&(struct socket_options){.type = ZMQ_PUSH,
                                            .message_max = LIMIT_TOPIC,
                                            .heartbeat_ms = HEARTBEAT_MS,
                                            .key = key,
                                            .domain = domain});
    zsock_set_rcvhwm(push, 1);
    zsock_set_sndhwm(push, LIMIT_SLOTS + 4);
    zsock_set_backlog(push, 4);
    zsock_set_sndtimeo(push, 0);
    return push;
}

/* A port that something else holds is passed over as if it rested. */
static int bind_free(struct lanes *lanes, zsock_t *push, int64_t now_ms)
{
    for (int port = lanes->low; port <= lanes->high; port++) {
        int64_t *rested_ms = &lanes->rested_ms[port - lanes->low];
        if (*rested_ms < 0 || *rested_ms > now_ms)
            continue;
        if (socket_bind(push, lanes->host, port)) {
            *rested_ms = -1;
            return port;
        }
        *rested_ms = now_ms + LANES_REST_MS;
    }
    return 0;
}

/* libzmq ends the program when it has none left to bind with. Numbers are
 * given lowest first, so a new one tells how many there are; a tenth stays for
 * who is connected. */
static bool descriptors_are_few(void)
{
    struct rlimit files;
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd < 0 || getrlimit(RLIMIT_NOFILE, &files) != 0)
        return true;
    close(fd);
    return (rlim_t)fd >= files.rlim_cur - files.rlim_cur / 10;
}

int lanes_open(struct lanes *lanes, const char *agent, uint64_t lane,
               int64_t now_ms)
{
    struct lane *entry = lane_find(lanes, agent);
    if (entry && entry->id == lane)
        return entry->port;
    if (entry)
        lane_end(lanes, entry, now_ms);
    if (descriptors_are_few())
        return 0;
    entry = mem_new(sizeof *entry);
    entry->id = lane;
    snprintf(entry->agent, sizeof entry->agent, "%s", agent);
    entry->push = push_new(lanes->key, agent);
    entry->port = bind_free(lanes, entry->push, now_ms);
    if (entry->port == 0) {
        zsock_destroy(&entry->push);
        mem_free(entry);
        return 0;
    }
    HASH_ADD_STR(lanes->by_agent, agent, entry);
    return entry->port;
}

void lanes_close(struct lanes *lanes, const char *agent, int64_t now_ms)
{
    struct lane *lane = lane_find(lanes, agent);
    if (lane)
        lane_end(lanes, lane, now_ms);
}

bool lanes_send(struct lanes *lanes, const char *agent, uint64_t lane,
                const void *bytes, size_t len)
{
    const struct lane *entry = lane_find(lanes, agent);
    if (!entry || entry->id != lane)
        return false;
    return zmq_send(zsock_resolve(entry->push), bytes, len, ZMQ_DONTWAIT) >= 0;
}
