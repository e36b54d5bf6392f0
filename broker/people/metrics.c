/* SPDX-License-Identifier: Apache-2.0
 *
 * Names in base units, no job, frame or person in any label.
 */
#include "broker/people/metrics.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "broker/core/state.h"

static void write_state(const struct exposition *to, const char *name,
                        const char *state, int64_t value)
{
    exposition_with(to, name, "state", state, (double)value);
}

static void write_frames(const struct exposition *to, const struct core *core)
{
    static const enum frame_state queue[] = {FRAME_PENDING, FRAME_LEASED};
    exposition_head(to, METRIC_GAUGE, "frameq_queue_frames",
                    "Frames yet to be rendered.");
    for (int i = 0; i < 2; i++)
        write_state(to, "frameq_queue_frames", frame_word(queue[i]),
                    core->totals[queue[i]]);
    exposition_head(to, METRIC_GAUGE, "frameq_job_frames",
                    "Frames of all jobs remembered.");
    for (int i = 0; i < FRAME_STATES; i++)
        write_state(to, "frameq_job_frames", frame_word((enum frame_state)i),
                    core->totals[i]);
}

static void write_jobs(const struct exposition *to, const struct core *core)
{
    exposition_head(to, METRIC_GAUGE, "frameq_jobs", "Jobs remembered.");
    for (int i = 0; i < JOB_STATES; i++)
        write_state(to, "frameq_jobs", job_status_word((enum job_status)i),
                    core->jobs_as[i]);
}

static void write_oldest(const struct exposition *to, const struct core *core,
                         int64_t now_ms)
{
    const struct job *job = queue_oldest(core);
    exposition_one(to, METRIC_GAUGE, "frameq_queue_oldest_seconds",
                   "Age of the oldest job with frames to hand out, 0 without "
                   "one.",
                   job ? (double)(now_ms - job->created_ms) / 1000.0 : 0.0);
}

static void write_slots(const struct exposition *to, int64_t slots,
                        int64_t busy)
{
    exposition_head(to, METRIC_GAUGE, "frameq_slots",
                    "Renders that agents could run at once.");
    write_state(to, "frameq_slots", "busy", busy);
    write_state(to, "frameq_slots", "idle", slots > busy ? slots - busy : 0);
}

static void write_agents(const struct exposition *to, const struct core *core)
{
    int64_t life[AGENT_LOST + 1] = {0}, drained = 0;
    int64_t slots = 0, busy = 0;
    const struct agent *agent;
    DL_FOREACH (core->agents, agent) {
        bool up = agent->known && agent->life == AGENT_UP;
        life[agent->known ? agent->life : AGENT_LOST]++;
        drained += agent->drain != DRAIN_OFF;
        slots += up ? agent->slots : 0;
        busy += up ? agent->running : 0;
    }
    exposition_head(to, METRIC_GAUGE, "frameq_agents",
                    "Agents, by whether they are heard.");
    for (int i = 0; i <= AGENT_LOST; i++)
        write_state(to, "frameq_agents", agent_life_word((enum agent_life)i),
                    life[i]);
    exposition_one(to, METRIC_GAUGE, "frameq_agents_drained",
                   "Agents that people drained.", (double)drained);
    write_slots(to, slots, busy);
}

static void write_refused(const struct exposition *to,
                          const struct broker *broker)
{
    static const char name[] = "frameq_refused_total";
    exposition_head(to, METRIC_COUNTER, name,
                    "Requests, peers and messages that were not let in, by "
                    "why.");
    for (int i = 0; i < REFUSED_COUNT; i++) {
        enum refused why = (enum refused)i;
        exposition_with(to, name, "why", refused_word(why),
                        (double)broker_refusals(broker, why));
    }
}

static void write_ledger(const struct exposition *to,
                         const struct broker *broker)
{
    const char *reason;
    bool well = store_health(broker_store(broker), &reason) == STORE_WELL;
    exposition_one(to, METRIC_GAUGE, "frameq_ledger_ok",
                   "1 while jobs can be written down, 0 on a full or broken "
                   "disk.",
                   well ? 1 : 0);
}

void metrics_write(const struct broker *broker, const struct exposition *to)
{
    const struct core *core = broker_core(broker);
    exposition_head(to, METRIC_GAUGE, "frameq_build_info", "Always 1.");
    exposition_with(to, "frameq_build_info", "version", FRAMEQ_VERSION, 1);
    write_frames(to, core);
    write_oldest(to, core, broker_now(broker));
    write_jobs(to, core);
    write_agents(to, core);
    write_ledger(to, broker);
    write_refused(to, broker);
}

struct memory {
    long pages, resident; /* the first two numbers of statm */
};

static struct memory memory_read(void)
{
    char line[128] = "", *at = line;
    struct memory memory = {0};
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return memory;
    if (fgets(line, sizeof line, file)) {
        memory.pages = strtol(line, &at, 10);
        memory.resident = strtol(at, NULL, 10);
    }
    fclose(file);
    return memory;
}

static int64_t open_files(void)
{
    int64_t n = 0;
    DIR *dir = opendir("/proc/self/fd");
    if (!dir)
        return 0;
    while (readdir(dir))
        n++;
    closedir(dir);
    return n - 3; /* ".", ".." and the folder itself */
}

static double cpu_seconds(void)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static double files_max(void)
{
    struct rlimit files;
    return getrlimit(RLIMIT_NOFILE, &files) == 0 ? (double)files.rlim_cur : 0;
}

void metrics_write_process(int64_t start_ms, const struct exposition *to)
{
    struct memory memory = memory_read();
    double page = (double)sysconf(_SC_PAGESIZE);
    exposition_one(to, METRIC_COUNTER, "process_cpu_seconds_total",
                   "Processor time, of user and system.", cpu_seconds());
    exposition_one(to, METRIC_GAUGE, "process_start_time_seconds",
                   "Start, seconds since 1970.", (double)start_ms / 1000.0);
    exposition_one(to, METRIC_GAUGE, "process_resident_memory_bytes",
                   "Memory in use.", (double)memory.resident * page);
    exposition_one(to, METRIC_GAUGE, "process_virtual_memory_bytes",
                   "Memory that has an address.", (double)memory.pages * page);
    exposition_one(to, METRIC_GAUGE, "process_open_fds", "Open descriptors.",
                   (double)open_files());
    exposition_one(to, METRIC_GAUGE, "process_max_fds",
                   "Descriptors that may be open.", files_max());
}
