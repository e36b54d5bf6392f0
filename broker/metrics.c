/* SPDX-License-Identifier: Apache-2.0
 *
 * Names in base units, no job, frame or person in any label.
 */
#include "broker/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define JOB_STATES (JOB_CANCELLED + 1)

static void write_head(struct buf *out, const char *name, const char *help)
{
    buf_print(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void write_one(struct buf *out, const char *name, const char *help,
                      double value)
{
    write_head(out, name, help);
    buf_print(out, "%s %.15g\n", name, value);
}

static void write_state(struct buf *out, const char *name, const char *state,
                        int64_t value)
{
    buf_print(out, "%s{state=\"%s\"} %" PRId64 "\n", name, state, value);
}

static void write_frames(const struct core *core, struct buf *out)
{
    static const enum frame_state queue[] = {FRAME_PENDING, FRAME_LEASED};
    write_head(out, "frameq_queue_frames", "Frames yet to be rendered.");
    for (int i = 0; i < 2; i++)
        write_state(out, "frameq_queue_frames", frame_word(queue[i]),
                    core->totals[queue[i]]);
    write_head(out, "frameq_frames", "Frames of all jobs remembered.");
    for (int i = 0; i < FRAME_STATES; i++)
        write_state(out, "frameq_frames", frame_word((enum frame_state)i),
                    core->totals[i]);
}

static void write_jobs(const struct core *core, struct buf *out)
{
    int64_t counts[JOB_STATES] = {0};
    const struct job *job;
    DL_FOREACH (core->jobs, job)
        counts[job_status(job)]++;
    write_head(out, "frameq_jobs", "Jobs remembered.");
    for (int i = 0; i < JOB_STATES; i++)
        write_state(out, "frameq_jobs", job_status_word((enum job_status)i),
                    counts[i]);
}

/* Since the oldest job with a frame to hand out was submitted. */
static void write_oldest(const struct core *core, int64_t now_ms,
                         struct buf *out)
{
    const struct job *job = core->jobs;
    while (job && (job->paused || job->in[FRAME_PENDING].count == 0))
        job = job->next;
    write_one(out, "frameq_queue_oldest_seconds",
              "Age of the oldest job with pending frames, 0 without one.",
              job ? (double)(now_ms - job->created_ms) / 1000.0 : 0.0);
}

static void write_agents(const struct core *core, struct buf *out)
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
    write_head(out, "frameq_agents", "Agents, by whether they are heard.");
    for (int i = 0; i <= AGENT_LOST; i++)
        write_state(out, "frameq_agents", agent_life_word((enum agent_life)i),
                    life[i]);
    write_one(out, "frameq_agents_drained", "Agents that people drained.",
              (double)drained);
    write_head(out, "frameq_slots", "Renders that agents could run at once.");
    write_state(out, "frameq_slots", "busy", busy);
    write_state(out, "frameq_slots", "idle", slots > busy ? slots - busy : 0);
}

void metrics_write(const struct core *core, int64_t now_ms, struct buf *out)
{
    write_head(out, "frameq_build_info", "Always 1.");
    buf_print(out, "frameq_build_info{version=\"%s\"} 1\n", FRAMEQ_VERSION);
    write_frames(core, out);
    write_oldest(core, now_ms, out);
    write_jobs(core, out);
    write_agents(core, out);
}

/* The second number of statm: pages in memory. */
static int64_t resident_bytes(void)
{
    char line[128] = "", *second = line;
    FILE *file = fopen("/proc/self/statm", "re");
    if (!file)
        return 0;
    if (fgets(line, sizeof line, file))
        strtoll(line, &second, 10);
    fclose(file);
    return strtoll(second, NULL, 10) * sysconf(_SC_PAGESIZE);
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

void metrics_write_process(int64_t start_ms, struct buf *out)
{
    write_one(out, "process_start_time_seconds", "Start, seconds since 1970.",
              (double)start_ms / 1000.0);
    write_one(out, "process_resident_memory_bytes", "Memory in use.",
              (double)resident_bytes());
    write_one(out, "process_open_fds", "Open descriptors.",
              (double)open_files());
}
