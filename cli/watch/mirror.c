/* SPDX-License-Identifier: Apache-2.0
 *
 * The farm as `frameq watch` knows it. One small function an event type.
 */
#include "cli/watch/mirror.h"

#include <stdlib.h>
#include <string.h>

#include "cli/doc.h"
#include "common/frames.h"

#define FAULTS_KEPT 20
#define JOBS_KEPT   200 /* jobs that come up while watching */

void mirror_done(struct mirror *mirror)
{
    json_decref(mirror->jobs);
    json_decref(mirror->agents);
    json_decref(mirror->faults);
    *mirror = (struct mirror){0};
}

static json_t *by_key(const json_t *list, const char *key)
{
    size_t i;
    json_t *item, *object = json_object();
    json_array_foreach(list, i, item)
        json_object_set(object, doc_text(item, key), item);
    return object;
}

/* Copies what event has of keys (ended by NULL) into target. */
static void copy(json_t *target, const json_t *event, const char *const *keys)
{
    for (; *keys != NULL; keys++)
        if (json_object_get(event, *keys) != NULL)
            json_object_set(target, *keys, json_object_get(event, *keys));
}

static json_t *fault_find_group(const struct mirror *mirror, const char *job,
                                const char *fault)
{
    size_t i;
    json_t *group;
    json_array_foreach(mirror->faults, i,
                       group) if (doc_is(group, "job", job) &&
                                  doc_is(group, "fault", fault)) return group;
    return NULL;
}

/* Adds n to a number of object. */
static void add(json_t *object, const char *key, int64_t n)
{
    int64_t sum = doc_int(object, key) + n;
    json_object_set_new(object, key, json_integer(sum < 0 ? 0 : sum));
}

/* Counts one fault: a lost try, or frames given up. */
static void fault_add(struct mirror *mirror, const char *job,
                      const json_t *event, const char *count, int64_t n)
{
    static const char *const keys[] = {"name", "text", "agent", NULL};
    const char *fault = doc_text(event, "fault");
    json_t *group = fault_find_group(mirror, job, fault);
    if (group == NULL) {
        group = json_pack("{s:s,s:s,s:i,s:i}", "job", job, "fault", fault,
                          "tries", 0, "failed", 0);
        json_array_append_new(mirror->faults, group);
    }
    copy(group, event, keys);
    add(group, count, n);
    if (json_array_size(mirror->faults) > FAULTS_KEPT)
        json_array_remove(mirror->faults, 0);
}

static void take_failures(struct mirror *mirror, const json_t *job)
{
    size_t i;
    json_t *failure;
    json_array_foreach(json_object_get(job, "failures"), i, failure)
    {
        json_t *event = json_copy(failure);
        json_object_set(event, "name", json_object_get(job, "name"));
        fault_add(mirror, doc_text(job, "id"), event, "failed", 1);
        json_decref(event);
    }
}

void mirror_take(struct mirror *mirror, const json_t *farm, const json_t *jobs,
                 const json_t *agents)
{
    size_t i;
    json_t *job;
    const char *colon = strchr(doc_text(farm, "seq"), ':');
    mirror_done(mirror);
    mirror->epoch = doc_int(farm, "epoch");
    mirror->seq = colon == NULL ? 0 : strtoll(colon + 1, NULL, 10);
    mirror->jobs = by_key(jobs, "id");
    mirror->agents = by_key(agents, "name");
    mirror->faults = json_array();
    json_array_foreach(jobs, i, job) take_failures(mirror, job);
}

void mirror_put_job(struct mirror *mirror, json_t *job)
{
    json_object_set(mirror->jobs, doc_text(job, "id"), job);
}

/* The job an event is of; a new one gets a document of what the event says. */
static json_t *job_of(struct mirror *mirror, const json_t *event)
{
    const char *id = doc_text(event, "job");
    json_t *job = json_object_get(mirror->jobs, id);
    if (job != NULL || json_object_size(mirror->jobs) >= JOBS_KEPT)
        return job;
    job = json_pack("{s:s,s:{}}", "id", id, "counts");
    json_object_set_new(mirror->jobs, id, job);
    return job;
}

static void apply_job(struct mirror *mirror, const json_t *event)
{
    static const char *const keys[] = {"name", "state", "counts", NULL};
    const char *id = doc_text(event, "job");
    if (doc_is(event, "change", "forgotten")) {
        json_object_del(mirror->jobs, id);
        return;
    }
    json_t *job = job_of(mirror, event);
    copy(job, event, keys);
}

/* Moves one frame of counts out of those under way into `to`. */
static void move_frame(json_t *counts, const char *to)
{
    add(counts, doc_int(counts, "leased") > 0 ? "leased" : "pending", -1);
    add(counts, to, 1);
}

static void apply_frame(struct mirror *mirror, const json_t *event)
{
    const char *id = doc_text(event, "job"), *state = doc_text(event, "state");
    json_t *job = json_object_get(mirror->jobs, id);
    bool one = doc_has(event, "frame"), fault = doc_has(event, "fault");
    if (one && (fault || strcmp(state, "done") == 0))
        move_frame(json_object_get(job, "counts"), state);
    else
        mirror->stale = true;
    if (fault && strcmp(state, "failed") == 0)
        fault_add(mirror, id, event, "failed", 1);
    else if (fault)
        fault_add(mirror, id, event, "tries", 1);
}

static int64_t frames_count(const char *text)
{
    char why[64];
    struct frames frames = {0};
    int64_t n = 0;
    if (frames_parse(text, &frames, why, sizeof why))
        n = frames.count;
    frames_free(&frames);
    return n;
}

static size_t lease_index(const json_t *leases, const char *lease)
{
    size_t i;
    const json_t *item;
    json_array_foreach(leases, i,
                       item) if (doc_is(item, "lease", lease)) return i;
    return json_array_size(leases);
}

static json_t *leases_of(struct mirror *mirror, const json_t *event)
{
    json_t *agent = json_object_get(mirror->agents, doc_text(event, "agent"));
    json_t *leases = json_object_get(agent, "leases");
    if (agent != NULL && leases == NULL) {
        leases = json_array();
        json_object_set_new(agent, "leases", leases);
    }
    return leases;
}

static void lease_begin(struct mirror *mirror, json_t *leases,
                        const json_t *event)
{
    static const char *const keys[] = {"lease", "job", "frames", NULL};
    json_t *job = json_object_get(mirror->jobs, doc_text(event, "job"));
    json_t *counts = json_object_get(job, "counts"), *lease = json_object();
    int64_t n = frames_count(doc_text(event, "frames"));
    add(counts, "leased", n);
    add(counts, "pending", -n);
    copy(lease, event, keys);
    json_object_set(lease, "since", json_object_get(event, "time"));
    json_object_set_new(lease, "job_name", json_string(doc_text(job, "name")));
    json_array_append_new(leases, lease);
}

static void apply_lease(struct mirror *mirror, const json_t *event)
{
    json_t *leases = leases_of(mirror, event);
    size_t i = lease_index(leases, doc_text(event, "lease"));
    if (doc_is(event, "change", "leased") && i == json_array_size(leases)) {
        lease_begin(mirror, leases, event);
        return;
    }
    mirror->stale = true; /* how many frames went back is not said */
    if (doc_is(event, "change", "released"))
        json_array_remove(leases, i);
    else
        json_object_set(json_array_get(leases, i), "frames",
                        json_object_get(event, "frames"));
}

static void apply_progress(struct mirror *mirror, const json_t *event)
{
    static const char *const keys[] = {"frame", "progress", NULL};
    json_t *leases = leases_of(mirror, event);
    size_t i = lease_index(leases, doc_text(event, "lease"));
    if (i < json_array_size(leases))
        copy(json_array_get(leases, i), event, keys);
}

static void apply_agent(struct mirror *mirror, const json_t *event)
{
    const char *name = doc_text(event, "name");
    json_t *known = json_object_get(mirror->agents, name);
    json_t *agent = json_copy((json_t *)(uintptr_t)event);
    if (known != NULL && json_object_get(agent, "leases") == NULL)
        json_object_set(agent, "leases", json_object_get(known, "leases"));
    json_object_set_new(mirror->agents, name, agent);
}

static const struct {
    const char *type;
    void (*apply)(struct mirror *mirror, const json_t *event);
} folds[] = {
    {"job", apply_job},     {"frame", apply_frame},
    {"lease", apply_lease}, {"progress", apply_progress},
    {"agent", apply_agent},
};

int64_t mirror_missed(const struct mirror *mirror, int64_t seq)
{
    int64_t missed = seq - mirror->seq;
    return missed < 0 ? 0 : missed;
}

enum mirror_step mirror_apply(struct mirror *mirror, const json_t *event)
{
    int64_t seq = doc_int(event, "seq");
    if (doc_int(event, "epoch") != mirror->epoch)
        return MIRROR_RESTARTED;
    if (seq <= mirror->seq)
        return MIRROR_OLD;
    if (seq > mirror->seq + 1)
        return MIRROR_GAP;
    mirror->seq = seq;
    for (size_t i = 0; i < sizeof folds / sizeof *folds; i++)
        if (doc_is(event, "type", folds[i].type))
            folds[i].apply(mirror, event);
    return MIRROR_APPLIED;
}
