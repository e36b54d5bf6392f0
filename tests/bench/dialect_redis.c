/* SPDX-License-Identifier: Apache-2.0
 *
 * Redis: a list of jobs, and a list for every worker of what it has taken, in
 * which a job stays until it is acknowledged. Its answers are a number or the
 * job.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/bench/dialect.h"

static void word(const char *bytes, size_t len, struct buf *out)
{
    buf_print(out, "$%zu\r\n", len);
    buf_add(out, bytes, len);
    buf_add(out, "\r\n", 2);
}

static void text_word(const char *text, struct buf *out)
{
    word(text, strlen(text), out);
}

static void taken_list(size_t worker, struct buf *out)
{
    char name[32];
    snprintf(name, sizeof name, "taken-%zu", worker);
    text_word(name, out);
}

static void put(const char payload[DIALECT_PAYLOAD], struct buf *out)
{
    buf_print(out, "*3\r\n");
    text_word("LPUSH", out);
    text_word("jobs", out);
    word(payload, DIALECT_PAYLOAD, out);
}

static void take(size_t worker, struct buf *out)
{
    buf_print(out, "*4\r\n");
    text_word("BRPOPLPUSH", out);
    text_word("jobs", out);
    taken_list(worker, out);
    text_word("0", out);
}

static void ack(size_t worker, const struct slip *slip, struct buf *out)
{
    buf_print(out, "*4\r\n");
    text_word("LREM", out);
    taken_list(worker, out);
    text_word("1", out);
    word(slip->payload, DIALECT_PAYLOAD, out);
}

static ssize_t answer(const char *text, size_t len, struct slip *ret)
{
    const char *end = memmem(text, len, "\r\n", 2);
    if (end == NULL)
        return 0;
    size_t head = (size_t)(end - text) + 2;
    long number = strtol(text + 1, NULL, 10);
    if (text[0] == ':')
        return number > 0 ? (ssize_t)head : -1;
    if (text[0] != '$' || number != DIALECT_PAYLOAD)
        return -1;
    if (len < head + DIALECT_PAYLOAD + 2)
        return 0;
    memcpy(ret->payload, text + head, DIALECT_PAYLOAD);
    return (ssize_t)(head + DIALECT_PAYLOAD + 2);
}

const struct dialect dialect_redis = {put, take, ack, answer};
