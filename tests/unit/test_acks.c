/* SPDX-License-Identifier: Apache-2.0
 *
 * What waits is not said twice, and leaves in order once the gate has let it
 * through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "broker/agents/acks.h"
#include "common/limits.h"

struct sent {
    int n;
    size_t acks;
    char agent[LIMIT_AGENT + 1];
    uint64_t first;
};

static void take(void *ctx, const char *agent, const struct msg *msg)
{
    struct sent *sent = ctx;
    assert_int_equal(msg->kind, KIND_ACK);
    sent->n++;
    sent->acks += msg->acks.n;
    sent->first = msg->acks.at[0].lease;
    snprintf(sent->agent, sizeof sent->agent, "%s", agent);
}

static struct sent send_all(struct acks *acks)
{
    struct sent sent = {0};
    acks_send(acks, take, &sent);
    return sent;
}

static size_t add(struct acks *acks, const char *agent, uint64_t first,
                  size_t n, struct ack_line **ret_line)
{
    struct msg_ack at[2 * LIMIT_ACKS];
    for (size_t i = 0; i < n; i++)
        at[i] = (struct msg_ack){first + i, 1, 0, true};
    return acks_add(acks, agent, &(struct msg_acks){at, n}, ret_line);
}

static void test_what_waits_is_not_added(void **state)
{
    struct acks acks = {0};
    struct ack_line *a, *b;
    (void)state;
    assert_int_equal(add(&acks, "a", 1, 3, &a), 3);
    assert_int_equal(add(&acks, "a", 1, 4, &a), 1);
    assert_int_equal(add(&acks, "b", 1, 2, &b), 2);
    assert_int_equal(send_all(&acks).n, 0); /* the gate is shut */
    acks_open(&acks, a, 3);
    struct sent sent = send_all(&acks);
    assert_int_equal(sent.n, 1);
    assert_int_equal(sent.acks, 3);
    assert_string_equal(sent.agent, "a");
    assert_int_equal(add(&acks, "a", 1, 4, &a), 3); /* the 4th waits still */
    acks_open(&acks, a, 4);
    assert_int_equal(send_all(&acks).first, 4);
    acks_done(&acks);
}

static void test_same_lease_other_frames(void **state)
{
    struct acks acks = {0};
    struct ack_line *line;
    const struct msg_ack at[] = {
        {7, 1, 2, false}, {7, 1, 3, false}, {7, 2, 3, false}, {7, 1, 2, true}};
    const struct msg_acks add = {at, 4};
    (void)state;
    assert_int_equal(acks_add(&acks, "a", &add, &line), 4);
    assert_int_equal(acks_add(&acks, "a", &add, &line), 0);
    acks_done(&acks);
}

static void test_messages_are_bounded(void **state)
{
    struct acks acks = {0};
    struct ack_line *line;
    (void)state;
    size_t n = add(&acks, "a", 1, LIMIT_ACKS + 1, &line);
    acks_open(&acks, line, n);
    struct sent sent = send_all(&acks);
    assert_int_equal(sent.n, 2);
    assert_int_equal(sent.acks, LIMIT_ACKS + 1);
    assert_int_equal(sent.first, LIMIT_ACKS + 1);
    assert_null(acks.by_agent);
    assert_null(acks.open);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_waits_is_not_added),
        cmocka_unit_test(test_same_lease_other_frames),
        cmocka_unit_test(test_messages_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
