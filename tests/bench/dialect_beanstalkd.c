/* SPDX-License-Identifier: Apache-2.0
 *
 * beanstalkd's text protocol: a line, and behind RESERVED the job's bytes. A
 * job is held until it is deleted, for an hour at most.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/dialect.h"

static void put(const char payload[DIALECT_PAYLOAD], struct buf *out)
{
    buf_print(out, "put 0 0 3600 %d\r\n", DIALECT_PAYLOAD);
    buf_add(out, payload, DIALECT_PAYLOAD);
    buf_add(out, "\r\n", 2);
}

static void take(size_t worker, struct buf *out)
{
    (void)worker;
    buf_print(out, "reserve\r\n");
}

static void ack(size_t worker, const struct slip *slip, struct buf *out)
{
    (void)worker;
    buf_print(out, "delete %" PRIu64 "\r\n", slip->id);
}

static ssize_t reserved(const char *text, size_t head, size_t len,
                        struct slip *ret)
{
    char *blank, *end;
    ret->id = strtoull(text + strlen("RESERVED "), &blank, 10);
    if (*blank != ' ' || strtoull(blank, &end, 10) != DIALECT_PAYLOAD ||
        end != text + head - 2)
        return -1;
    if (len < head + DIALECT_PAYLOAD + 2)
        return 0;
    memcpy(ret->payload, text + head, DIALECT_PAYLOAD);
    return (ssize_t)(head + DIALECT_PAYLOAD + 2);
}

static ssize_t answer(const char *text, size_t len, struct slip *ret)
{
    const char *end = memmem(text, len, "\r\n", 2);
    if (end == NULL)
        return 0;
    size_t head = (size_t)(end - text) + 2;
    if (strncmp(text, "RESERVED ", 9) == 0)
        return reserved(text, head, len, ret);
    if (strncmp(text, "INSERTED ", 9) == 0 ||
        strncmp(text, "DELETED\r\n", 9) == 0)
        return (ssize_t)head;
    return -1;
}

const struct dialect dialect_beanstalkd = {put, take, ack, answer};
