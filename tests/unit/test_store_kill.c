/* SPDX-License-Identifier: Apache-2.0
 *
 * A process that keeps a ledger is killed again and again, at moments drawn
 * from a fixed seed. What it had acknowledged through a pipe is there each
 * time, in order and without a gap, and the next one goes on from it.
 */
#include "broker/ledger/store.h"

#include "store_world.h"

#include <signal.h>
#include <sys/wait.h>

#define ROUNDS 25

static void say(int fd, uint64_t committed)
{
    if (write(fd, &committed, sizeof committed) != sizeof committed)
        _exit(3);
}

/* The one to be killed: appends in groups of uneven size, as long as it may,
 * and says each number that is committed. */
static void keep_ledger(const char *dir, int fd)
{
    char why[256];
    struct world w = {.store = store_open(dir, why, sizeof why)};
    if (w.store == NULL)
        _exit(4);
    uint64_t last = 0;
    if (store_replay(w.store, audit_count, &last, why, sizeof why) < 0 ||
        store_begin(w.store, why, sizeof why) == 0)
        _exit(5);
    for (uint64_t seen = last;;) {
        uint64_t group = 1 + last % 13;
        world_append(&w, last + 1, last + group);
        last += group;
        struct pollfd news = {store_fd(w.store), POLLIN, 0};
        (void)poll(&news, 1, 5);
        uint64_t committed = store_poll(w.store);
        if (committed > seen)
            say(fd, committed);
        seen = committed;
    }
}

/* Reads acknowledgements until so many events were acknowledged since the
 * first, then kills. Returns the last one read, what is left in the pipe
 * too. */
static uint64_t kill_after(pid_t child, int fd, uint64_t events)
{
    uint64_t first = 0, last = 0, next;
    while (read(fd, &next, sizeof next) == sizeof next) {
        assert_true(next > last);
        first = first == 0 ? next : first;
        last = next;
        if (last - first >= events)
            kill(child, SIGKILL);
    }
    return last;
}

static uint64_t run_and_kill(struct world *w, uint64_t events)
{
    int fds[2], status;
    assert_int_equal(pipe(fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(fds[0]);
        keep_ledger(w->dir, fds[1]);
    }
    close(fds[1]);
    uint64_t last = kill_after(child, fds[0], events);
    close(fds[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    return last;
}

static void test_nothing_acknowledged_is_lost_to_a_kill(void **state)
{
    struct world *w = *state;
    unsigned short dice[3] = {7, 7, 7};
    uint64_t before = 0;
    for (int round = 1; round <= ROUNDS; round++) {
        uint64_t events = (uint64_t)nrand48(dice) % 150;
        uint64_t acknowledged = run_and_kill(w, events);
        assert_true(acknowledged > before);
        world_open(w); /* the lock died with its holder */
        before = world_audit(w, acknowledged);
        store_close(&w->store);
    }
    world_open(w);
    assert_int_equal(world_begin(w), ROUNDS + 1);
    int64_t events;
    store_close(&w->store);
    if (!world_verify(w, &events))
        fail_msg("%s", w->why);
}

int main(void)
{
#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_acknowledged_is_lost_to_a_kill),
    };
    return cmocka_run_group_tests_name("store_kill", tests, NULL, NULL);
}
