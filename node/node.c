/* SPDX-License-Identifier: Apache-2.0
 *
 * Opening, one turn, closing. Processes that a Blender left behind become the
 * node's own children and are killed.
 */
#include "node/node.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/app/cache_dir.h"
#include "common/app/clock.h"
#include "common/app/conf.h"
#include "common/app/log.h"
#include "common/http/httpd.h"
#include "common/limits.h"
#include "common/mem.h"
#include "common/text.h"
#include "node/api.h"
#include "node/disk.h"
#include "node/proc.h"
#include "node/which.h"

enum {
    LEAVE_MS = 2500,        /* from SIGTERM to the end at the latest */
    PROBE_AGAIN_MS = 30000, /* between two tries of a Blender that fails */
    CONNECTIONS = 256,      /* an agent, and people looking */
};

/* -- Jobs ------------------------------------------------------------------ */

struct job *node_find(const struct node *node, int64_t pid)
{
    for (struct job *job = node->jobs; job; job = job->next)
        if (job->pid == pid)
            return job;
    return NULL;
}

struct job *node_find_key(const struct node *node, const char *key)
{
    for (struct job *job = node->jobs; job; job = job->next)
        if (job->spec.key && strcmp(job->spec.key, key) == 0)
            return job;
    return NULL;
}

static struct run *run_find(const struct node *node, const struct job *job)
{
    for (int i = 0; i < node->options.slots; i++)
        if (node->runs[i].job == job)
            return &node->runs[i];
    return NULL;
}

int node_free_slots(const struct node *node)
{
    int n = 0;
    for (int i = 0; i < node->options.slots; i++)
        n += node->runs[i].job == NULL;
    return n;
}

static uint64_t largest_file(const struct job *job)
{
    uint64_t most = 0;
    size_t i = 0;
    json_t *file = NULL;
    if (job->begun > 0 && job->at[0].files)
        json_array_foreach(job->at[0].files, i, file)
        {
            const json_int_t bytes =
                json_integer_value(json_object_get(file, "bytes"));
            if ((uint64_t)bytes > most)
                most = (uint64_t)bytes;
        }
    return most;
}

/* After a full disk the node is well again only when somebody made room. */
static void disk_learn(struct node *node, const struct job *job)
{
    const uint64_t left = disk_free(node->output);
    const uint64_t more = 2 * largest_file(job) + LIMIT_DISK_FREE;
    if (left < UINT64_MAX - more)
        node->disk_need = left + more;
}

/* What the end of a job tells about the node. */
static void job_learn(struct node *node, const struct job *job)
{
    if (job->fault == FAULT_DISK_FULL)
        disk_learn(node, job);
    if (job->fault == FAULT_BAD_ENGINE && job->output.hints[FAULT_BAD_ENGINE])
        probe_no_gl(&node->probe);
}

static void job_log_end(const struct job *job)
{
    char words[TRACE_WORDS];
    log_info("job_ended", "pid=%lld state=%s done=%d of=%d text=%s%s",
             (long long)job->pid,
             job->state == JOB_COMPLETED ? "completed" : fault_word(job->fault),
             job->done, job->spec.frames.count, log_quoted(job->text),
             trace_words(job->spec.trace, words));
}

struct job *node_start(struct node *node, struct spec *spec)
{
    struct run *run = run_find(node, NULL);
    assert(run);
    const int64_t pid = serial_next(&node->serial, node->work_root);
    if (pid < 0)
        return NULL;
    struct job *job = job_new(pid, spec);
    job->next = node->jobs;
    node->jobs = job;
    char words[TRACE_WORDS];
    log_info("job_started", "pid=%lld frames=%d key=%s blend=%s%s",
             (long long)pid, job->spec.frames.count, log_quoted(job->spec.key),
             log_quoted(job->spec.blend), trace_words(job->spec.trace, words));
    run_take(run, &node->site, &node->pool, job, node->now_ms);
    return job;
}

void node_revive(struct node *node)
{
    if (disk_free(node->output) >= node->disk_need)
        node->disk_need = LIMIT_DISK_FREE;
    if (!node->blender) {
        node->blender = which_find(node->options.blender);
        node->site.blender = node->blender;
    }
    if (!node->blender || node->probe.told || node->probe.running ||
        node->leaving || node->now_ms < node->probe_again_ms)
        return;
    probe_done(&node->probe);
    probe_start(&node->probe, &node->site, node->now_ms);
    node->probe_again_ms = node->now_ms + PROBE_AGAIN_MS;
}

void node_stop(struct node *node, struct job *job)
{
    struct run *run = run_find(node, job);
    if (run)
        run_stop(run, node->now_ms);
}

/* Where there was work there will be more, perhaps of another .blend. */
static void spare_start(struct node *node, const struct job *job)
{
    char name[64];
    snprintf(name, sizeof name, "blender-%lld-spare", (long long)job->pid);
    if (job->state == JOB_COMPLETED)
        pool_spare(&node->pool, &node->site, name, node->now_ms);
}

/* Nothing starts beside the Blender that is asked what it can do: both would
 * only take longer. */
static void runs_step(struct node *node)
{
    const bool may_start = probe_is_over(&node->probe);
    for (int i = 0; i < node->options.slots; i++) {
        const struct job *job = node->runs[i].job;
        run_step(&node->runs[i], may_start, node->now_ms);
        if (job && !node->runs[i].job) {
            job_learn(node, job);
            job_log_end(job);
            spare_start(node, job);
        }
    }
    pool_step(&node->pool, node->now_ms);
    jobs_forget(&node->jobs);
}

/* -- Processes ------------------------------------------------------------- */

static bool node_owns(const struct node *node, pid_t pid)
{
    bool owns = (node->probe.running && node->probe.blender.pid == pid) ||
                pool_owns(&node->pool, pid);
    for (int i = 0; i < node->options.slots; i++)
        owns = owns || run_owns(&node->runs[i], pid);
    return owns;
}

static void stray_kill(void *ctx, pid_t pid)
{
    if (!node_owns(ctx, pid))
        kill(pid, SIGKILL);
}

static void child_reaped(struct node *node, pid_t pid, int status)
{
    if (node->probe.running && node->probe.blender.pid == pid)
        blender_reaped(&node->probe.blender, status, node->now_ms);
    pool_reaped(&node->pool, pid, status, node->now_ms);
    for (int i = 0; i < node->options.slots; i++)
        run_reaped(&node->runs[i], pid, status, node->now_ms);
}

/* A Blender's group is killed before its leader is reaped: as long as it is
 * not, nobody else can have that number. */
static void children_reap(struct node *node)
{
    siginfo_t info = {0};
    bool leader = false;
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0) {
        int status = 0;
        const pid_t pid = info.si_pid;
        if (getpgid(pid) == pid) {
            kill(-pid, SIGKILL);
            leader = true;
        }
        if (waitpid(pid, &status, 0) == pid)
            child_reaped(node, pid, status);
        info.si_pid = 0;
    }
    if (leader)
        proc_children(stray_kill, node);
}

/* -- The loop -------------------------------------------------------------- */

static void leave(struct node *node)
{
    if (node->leaving)
        _exit(0); /* a second signal; Blender dies with us */
    node->leaving = true;
    node->leave_ms = node->now_ms + LEAVE_MS;
    log_info("stopping", "running=%d",
             node->options.slots - node_free_slots(node));
    for (int i = 0; i < node->options.slots; i++)
        run_stop(&node->runs[i], node->now_ms);
    pool_stop(&node->pool, node->now_ms);
    probe_stop(&node->probe, node->now_ms);
}

static void signals_take(struct node *node)
{
    struct signalfd_siginfo info;
    bool children = false;
    while (read(node->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            children = true;
        else
            leave(node);
    }
    if (children)
        children_reap(node);
}

static void turn_watch(struct node *node)
{
    struct poller *poller = &node->poller;
    const int64_t http_ms = httpd_wait(node->httpd);
    poller_clear(poller);
    poller_watch(poller, node->signals);
    poller_watch(poller, httpd_fd(node->httpd));
    for (int i = 0; i < node->options.slots; i++)
        run_watch(&node->runs[i], poller, node->now_ms);
    pool_watch(&node->pool, poller, node->now_ms);
    probe_watch(&node->probe, poller, node->now_ms);
    poller_until(poller, waits_due(&node->waits));
    poller_until(poller, node->leave_ms);
    if (http_ms >= 0)
        poller_until(poller, node->now_ms + http_ms);
}

static void turn_take(struct node *node)
{
    signals_take(node);
    runs_step(node);
    const bool asked = node->probe.running;
    probe_step(&node->probe, node->now_ms);
    if (asked && !node->probe.running)
        node_health_log(node);
    httpd_run(node->httpd);
    runs_step(node); /* what requests asked for */
    if (api_answer(node))
        httpd_run(node->httpd);
}

static bool is_over(const struct node *node)
{
    const bool rests = node_free_slots(node) == node->options.slots &&
                       !node->probe.running && pool_is_empty(&node->pool);
    return node->leaving && (rests || node->now_ms >= node->leave_ms);
}

void node_loop(struct node *node)
{
    node->now_ms = clock_now_ms();
    while (!is_over(node)) {
        turn_watch(node);
        poller_wait(&node->poller, node->now_ms);
        node->now_ms = clock_now_ms();
        turn_take(node);
    }
}

int node_port(const struct node *node)
{
    return httpd_port(node->httpd);
}

/* -- Opening --------------------------------------------------------------- */

static bool refuse(char *why, size_t size, const char *what, const char *path)
{
    snprintf(why, size, "%s %s: %s", what, path, strerror(errno));
    return false;
}

static char *path_real(const char *path)
{
    char real[PATH_MAX];
    return realpath(path, real) ? mem_text(real) : NULL;
}

/* OUTPUT that cannot be made stops the start; one that cannot be written makes
 * the node unwell, for a mount may come back. */
static bool output_open(struct node *node, char *why, size_t size)
{
    const char *path = node->options.output;
    if (!conf_make_dir(path) || !(node->output = path_real(path)))
        return refuse(why, size, "--output", path);
    if (!text_is_plain(node->output, strlen(node->output)) ||
        strlen(node->output) > LIMIT_PATH) {
        snprintf(why, size,
                 "--output: its path must be UTF-8 without control "
                 "characters, at most %d bytes",
                 LIMIT_PATH);
        return false;
    }
    char work[PATH_MAX];
    snprintf(work, sizeof work, "%s/.work", node->output);
    node->work_root = mem_text(work);
    if (!conf_make_dir(work))
        log_warn("output_unwritable", "path=%s reason=%s", log_quoted(work),
                 log_quoted(strerror(errno)));
    return true;
}

static bool rules_open(struct node *node, char *why, size_t size)
{
    const struct node_options *options = &node->options;
    node->roots = mem_new((options->roots_n + 1) * sizeof *node->roots);
    for (size_t i = 0; i < options->roots_n; i++) {
        node->roots[i] = path_real(options->roots[i]);
        if (!node->roots[i])
            return refuse(why, size, "--blend-root", options->roots[i]);
    }
    if (options->blend && !(node->blend = path_real(options->blend)))
        return refuse(why, size, "--blend", options->blend);
    node->rules = (struct spec_rules){.blend = node->blend,
                                      .roots = (const char *const *)node->roots,
                                      .roots_n = options->roots_n,
                                      .scripts = options->scripts};
    return true;
}

static void bytecode_open(struct node *node)
{
    if (cache_dir_open("blender-scripts", node->bytecode,
                       sizeof node->bytecode))
        return;
    log_warn("no_bytecode", "folder=%s reason=%s", log_quoted(node->bytecode),
             log_quoted(strerror(errno)));
    node->bytecode[0] = '\0';
}

static void site_open(struct node *node)
{
    if (node->options.sandbox)
        node->sandbox =
            sandbox_open(node->sandbox_why, sizeof node->sandbox_why);
    else
        snprintf(node->sandbox_why, sizeof node->sandbox_why, "--sandbox off");
    if (!node->sandbox)
        log_warn("no_sandbox", "reason=%s", log_quoted(node->sandbox_why));
    bytecode_open(node);
    node->site =
        (struct run_site){.output = node->output,
                          .bytecode = node->bytecode[0] ? node->bytecode : NULL,
                          .work_root = node->work_root,
                          .device = node->options.device,
                          .sandbox = node->sandbox,
                          .threads = node->options.threads,
                          .nice = node->options.nice};
}

static bool http_open(struct node *node, char *why, size_t size)
{
    const struct httpd_options options = {.host = node->options.host,
                                          .port = node->options.port,
                                          .body_max = LIMIT_BODY,
                                          .connections = CONNECTIONS,
                                          .handle = api_handle,
                                          .ended = api_ended,
                                          .ctx = node};
    node->httpd = httpd_open(&options, why, size);
    return node->httpd != NULL;
}

static void signals_open(struct node *node)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    node->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static void name_make(struct node *node)
{
    gethostname(node->self, sizeof node->self - 1);
    node->options.site.self = node->self;
    snprintf(node->name, sizeof node->name, "%s-%d", node->self,
             node_port(node));
}

static void work_tidy(struct node *node)
{
    const int swept = work_sweep(node->work_root);
    if (swept > 0)
        log_info("swept", "folders=%d", swept);
}

struct node *node_open(const struct node_options *options, char *why,
                       size_t size)
{
    struct node *node = mem_new(sizeof *node);
    node->options = *options;
    node->signals = -1;
    node->disk_need = LIMIT_DISK_FREE;
    node->now_ms = clock_now_ms();
    node->pool.on = options->warm;
    node->pool.most = options->slots + 1;
    if (node->pool.most > POOL_SEATS - 1)
        node->pool.most = POOL_SEATS - 1; /* one place is the spare's */
    node->runs = mem_new((size_t)options->slots * sizeof *node->runs);
    if (!output_open(node, why, size) || !rules_open(node, why, size) ||
        !http_open(node, why, size)) {
        node_close(&node);
        return NULL;
    }
    site_open(node);
    signals_open(node);
    name_make(node);
    work_tidy(node);
    node_revive(node);
    if (probe_is_over(&node->probe)) /* there is nobody to ask */
        node_health_log(node);
    return node;
}

void node_close(struct node **node)
{
    struct node *old = *node;
    if (!old)
        return;
    httpd_close(&old->httpd);
    while (old->jobs) {
        struct job *job = old->jobs;
        old->jobs = job->next;
        job_free(&job);
    }
    pool_done(&old->pool);
    probe_done(&old->probe);
    waits_done(&old->waits);
    poller_done(&old->poller);
    sandbox_close(&old->sandbox);
    if (old->signals >= 0)
        close(old->signals);
    for (size_t i = 0; old->roots && i < old->options.roots_n; i++)
        mem_free(old->roots[i]);
    mem_free(old->roots);
    mem_free(old->blend);
    mem_free(old->output);
    mem_free(old->work_root);
    mem_free(old->blender);
    mem_free(old->runs);
    mem_free(old);
    *node = NULL;
}
