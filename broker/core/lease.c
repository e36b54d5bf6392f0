/* SPDX-License-Identifier: Apache-2.0
 *
 * Leases: a run of a job's ordinals that one agent renders. Their links, and
 * what is still needed of them.
 */
#include "broker/core/core_internal.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"

struct lease *lease_find(const struct core *core, uint64_t id)
{
    struct lease *lease = NULL;
    HASH_FIND(hh, core->leases, &id, sizeof id, lease);
    return lease;
}

struct lease *lease_named(const struct core *core, const struct agent *agent,
                          const struct msg_lease *entry)
{
    struct lease *lease = lease_find(core, entry->lease);
    bool same = lease && lease->agent == agent &&
                strcmp(lease->job->id, entry->job) == 0;
    return same ? lease : NULL;
}

bool lease_may_be(const struct core *core, const char *agent, uint64_t id)
{
    const struct lease *lease = lease_find(core, id);
    if (lease)
        return strcmp(lease->agent->name, agent) == 0;
    return id <= LEASE_ID(core->epoch, core->counter);
}

struct lease *lease_new(struct core *core, uint64_t id, struct job *job,
                        struct agent *agent)
{
    struct lease *lease = mem_new(sizeof *lease);
    lease->id = id;
    lease->job = job;
    lease->agent = agent;
    lease->trim = -1;
    lease->frame = -1;
    if (!agent_has_job(agent, job, NULL))
        job->agents++;
    job->owner->leases++;
    job->owner->small += sched_is_small(job);
    job->owner->small_last = sched_is_small(job);
    DL_APPEND2(job->leases, lease, job_prev, job_next);
    DL_APPEND2(agent->leases, lease, agent_prev, agent_next);
    HASH_ADD(hh, core->leases, id, sizeof lease->id, lease);
    return lease;
}

static bool is_doubled(const struct job *job)
{
    const struct lease *lease;
    DL_FOREACH2 (job->leases, lease, job_next)
        if (lease->held.count < lease->left.count)
            return true;
    return false;
}

void lease_free(struct core *core, struct lease *lease)
{
    assert(lease->held.count == 0);
    HASH_DEL(core->leases, lease);
    DL_DELETE2(lease->agent->leases, lease, agent_prev, agent_next);
    DL_DELETE2(lease->job->leases, lease, job_prev, job_next);
    lease->job->doubled = lease->job->doubled && is_doubled(lease->job);
    if (!agent_has_job(lease->agent, lease->job, NULL))
        lease->job->agents--;
    lease->job->owner->leases--;
    lease->job->owner->small -= sched_is_small(lease->job);
    ranges_free(&lease->left);
    ranges_free(&lease->held);
    mem_free(lease);
}

int32_t lease_needed(const struct lease *lease)
{
    if (lease->left.n == 0)
        return lease->lo;
    return lease->left.at[lease->left.n - 1].hi;
}
