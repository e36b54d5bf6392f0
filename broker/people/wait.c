/* SPDX-License-Identifier: Apache-2.0
 *
 * Waits in two lists: by job, to be found when it changes, and all, to be found
 * when they are due.
 */
#include "broker/people/wait.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"

struct wait {
    struct call *call;
    struct wait_group *group;
    uint64_t revision; /* of the job when it began */
    int64_t until_ms;
    void (*resume)(struct call *call);
    struct wait *prev, *next;         /* of its group */
    struct wait *all_prev, *all_next; /* http->waiting */
};

struct wait_group {
    char job[LIMIT_ID + 1];
    struct wait *waits;
    UT_hash_handle hh;
};

static struct wait_group *group_get(struct http *http, const char *job)
{
    struct wait_group *group = NULL;
    HASH_FIND_STR(http->waits, job, group);
    if (group)
        return group;
    group = mem_new(sizeof *group);
    memcpy(group->job, job, strlen(job));
    HASH_ADD_STR(http->waits, job, group);
    return group;
}

static void wait_remove(struct http *http, struct wait *wait)
{
    struct wait_group *group = wait->group;
    DL_DELETE2(http->waiting, wait, all_prev, all_next);
    DL_DELETE(group->waits, wait);
    mem_free(wait);
    if (group->waits)
        return;
    assert(http->waits);
    HASH_DEL(http->waits, group);
    mem_free(group);
}

static void leave_wait(struct call *call)
{
    wait_remove(call->http, call->work);
}

void wait_begin(struct call *call, const struct job *job, int64_t until_ms,
                void (*resume)(struct call *call))
{
    struct http *http = call->http;
    struct wait *wait = mem_new(sizeof *wait);
    *wait = (struct wait){.call = call,
                          .group = group_get(http, job->id),
                          .revision = job->revision,
                          .until_ms = until_ms,
                          .resume = resume};
    DL_APPEND(wait->group->waits, wait);
    if (!http->waiting || until_ms < http->wait_ms)
        http->wait_ms = until_ms;
    DL_APPEND2(http->waiting, wait, all_prev, all_next);
    call_park(call, wait, leave_wait, NULL);
}

static void wait_end(struct http *http, struct wait *wait)
{
    struct call *call = wait->call;
    void (*resume)(struct call *) = wait->resume;
    call_unpark(call);
    wait_remove(http, wait);
    resume(call);
}

void wait_changed(struct http *http, const char *id)
{
    const struct job *job = job_find(broker_core(http->broker), id);
    struct wait_group *group = NULL;
    struct wait *wait, *next;
    HASH_FIND_STR(http->waits, id, group);
    if (!group)
        return;
    DL_FOREACH_SAFE (group->waits, wait, next)
        if (!job || job->revision != wait->revision)
            wait_end(http, wait);
}

void wait_due(struct http *http, int64_t now_ms)
{
    struct wait *wait, *next;
    if (!http->waiting || now_ms < http->wait_ms)
        return;
    http->wait_ms = INT64_MAX;
    DL_FOREACH_SAFE2(http->waiting, wait, next, all_next)
    {
        if (wait->until_ms <= now_ms)
            wait_end(http, wait);
        else if (wait->until_ms < http->wait_ms)
            http->wait_ms = wait->until_ms;
    }
}

void wait_end_all(struct http *http)
{
    while (http->waiting)
        wait_end(http, http->waiting);
}
