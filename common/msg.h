/* SPDX-License-Identifier: Apache-2.0
 *
 * What broker and agents say to each other: plain structs, and their encoding
 * as msgpack arrays (docs/protocol.md). Field 0 is the version, field 1 the
 * kind; fields are only ever appended and readers ignore extra ones.
 * Everything decoded is bounded here and lives in the caller's arena; nothing
 * here knows a socket.
 */
#ifndef FRAMEQ_COMMON_MSG_H
#define FRAMEQ_COMMON_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/buf.h"
#include "common/fault.h"

#define MSG_VERSION 1

/* Timings both sides build on (docs/protocol.md, "Timings"). */
#define MSG_STATE_MS    2000  /* H: a STATE at least that often */
#define MSG_BEAT_MS     1000  /* a BEAT that often */
#define MSG_DEAF_MS     15000 /* no BEAT for this long: rebuild all sockets */
#define MSG_PROGRESS_MS 50    /* STATEs for progress alone: 20 a second */

/* Not MSG_BATCH and so on: <sys/socket.h> has that name. */
enum msg_kind {
    KIND_STATE = 1, /* agent -> broker: the agent's full truth */
    KIND_BATCH,     /* broker -> one agent, over its lane */
    KIND_LANE,      /* the rest: broker -> agents, over control */
    KIND_ACK,
    KIND_REVOKE,
    KIND_TRIM,
    KIND_DRAIN,
    KIND_REFUSE,
    KIND_WHO,
    KIND_BEAT,
    KIND_ASK
};

/* Lease ids are (broker epoch << 40) + counter: one number, never used twice,
 * ordered by age. */
#define LEASE_EPOCH(lease)       ((uint64_t)(lease) >> 40)
#define LEASE_ID(epoch, counter) (((uint64_t)(epoch) << 40) + (counter))

enum lease_status {
    LEASE_ACCEPTED, /* taken, not yet at the node */
    LEASE_RUNNING,  /* the node has it */
    LEASE_STOPPING, /* revoked; the node still works on it, its slot is used */
    LEASE_DONE,     /* ended: every frame has a result or is trimmed off */
    LEASE_FAILED,   /* ended: `fault` says why; frames without a result are not
                       rendered */
    LEASE_STOPPED   /* ended on request (revoke, drain, shutdown) */
};

/* lease_over tells whether a status is an end (its slot is free again). */
#define LEASE_OVER(status) ((status) >= LEASE_DONE)

/* One frame that is proven, kept in every STATE until acknowledged. */
struct msg_result {
    int32_t frame;     /* frame number */
    int32_t ms;        /* render time; 0 when not known */
    const char *files; /* JSON list [{"path","bytes","sha256"}], <= LIMIT_FILES;
                          "" when not known (classic node without proof) */
};

struct msg_lease {
    uint64_t lease;
    const char *job;
    int32_t from, to, step; /* frame numbers of the lease as it stands now */
    int32_t status;         /* enum lease_status */
    int32_t frame;          /* being rendered now; -1: none or not known */
    int32_t permille;       /* progress of that frame, 0..1000 */
    int32_t done;           /* frames of it finished so far */
    int32_t fault;          /* enum fault, when LEASE_FAILED */
    int32_t blamed;         /* frame charged for it: the first of the lease
                               without a whole file when the launch ended; of
                               FAULT_NODE_DOWN: the one in work; -1: none */
    const char *text;       /* what a person should read of it; "" */
    const struct msg_result *results;
    size_t n_results;
};

/* The node beside an agent, as last seen. */
struct msg_node {
    bool up;
    bool classic;  /* speaks only the classic /job API */
    bool can_trim; /* PATCH: can stop early */
    bool can_stop; /* DELETE */
    int32_t cores, memory_mb;
    int32_t gpus;
    const char *name, *version, *blender, *device;
    const char *error; /* why it is not up or takes no work; "" */
};

struct msg_state {
    const char *agent; /* [A-Za-z0-9._-]{1,64} */
    uint64_t inc;      /* random at each start of the agent */
    uint64_t seq;      /* grows with every STATE of this inc */
    uint64_t epoch;    /* of the last BEAT seen; 0: none yet */
    uint64_t lane;     /* lane id in use; 0: needs one */
    uint64_t dseq;     /* highest dispatch number seen on that lane */
    int32_t slots;     /* may run at once; 0 while none can, see why */
    const char *why;   /* why slots is less than usual; "" */
    bool leaving;      /* shutting down: no new work, LEASE_STOPPED follow */
    const char *version;
    const char *const *tags;
    size_t n_tags;
    struct msg_node node;
    const struct msg_lease *leases;
    size_t n_leases;
};

struct msg_batch {
    uint64_t epoch, lane, dseq;
    uint64_t lease;
    const char *job;  /* job id */
    const char *name; /* job name, "" when it has none */
    int32_t from, to, step;
    bool replace;       /* a retry of done frames: the new file replaces */
    bool plain;         /* a classic POST /render without any field beyond
                           from and to */
    const char *render; /* JSON object of the render fields */
    const char *trace;  /* traceparent (trace.h) of the batch; "" none */
};

struct msg_lane {
    uint64_t inc, lane;
    int32_t port;
};

/* Frames [from, to] of a lease (step as in the lease) whose results are on
 * disk; closed: the whole lease is settled and may be forgotten. */
struct msg_ack {
    uint64_t lease;
    int32_t from, to; /* from > to: none */
    bool closed;
};

struct msg_acks {
    const struct msg_ack *at;
    size_t n;
};

struct msg_revoke {
    uint64_t lease;
    const char *why;
};

/* Stop after frame number `to` (the node may go on further; the next STATE
 * tells where it really stops). */
struct msg_trim {
    uint64_t lease;
    int32_t to;
};

enum drain { DRAIN_OFF, DRAIN_SOFT, DRAIN_NOW };

struct msg_drain {
    int32_t mode; /* enum drain */
};

/* Another live agent has this name: the one with that inc must end. */
struct msg_refuse {
    uint64_t inc;
    const char *why;
};

/* Send the log of a frame as it stands now (path ""), or the picture at path,
 * whose bytes have that hash. */
struct msg_ask {
    uint64_t lease;
    int32_t frame;
    const char *job, *path, *sha256;
};

struct msg_beat {
    uint64_t epoch;
    int64_t now_ms;
};

struct msg {
    enum msg_kind kind;
    union {
        struct msg_state state;
        struct msg_batch batch;
        struct msg_lane lane;
        struct msg_acks acks;
        struct msg_revoke revoke;
        struct msg_trim trim;
        struct msg_drain drain;
        struct msg_refuse refuse;
        struct msg_ask ask;
        struct msg_beat beat; /* KIND_WHO has no fields */
    };
};

/* msg_encode appends msg to out (a NULL text as ""). Returns false, adding
 * nothing, when it would pass out's maximum; asserts that it keeps every limit.
 */
bool msg_encode(const struct msg *msg, struct buf *out);

/* msg_decode reads one message of exactly len bytes, wholly checked: version,
 * kind, types, every count, length and range of common/limits.h, names and ids
 * by their alphabets, texts as UTF-8 without control characters, and rules
 * between fields (from <= to, step divides, dseq without lane, no lease or
 * result twice). A failure class of a newer agent becomes FAULT_RENDER. Texts
 * and lists are allocated in arena. Returns false with the reason in why
 * ("STATE field leases[3].step: 0 is less than 1"). */
bool msg_decode(const void *bytes, size_t len, struct arena *arena,
                struct msg *ret, char *why, size_t size);

/* msg_topic writes the control topic of an agent, "C/<agent>/" (agent "*" for
 * all), and returns it. */
#define MSG_TOPIC_SIZE 80
char *msg_topic(const char *agent, char ret[MSG_TOPIC_SIZE]);

#endif
