/* SPDX-License-Identifier: Apache-2.0
 *
 * One question, one answer, and the end of that Blender. It opens no scene, so
 * it is the one that may compile Blender's scripts for those that do.
 */
#include "node/probe.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "common/mem.h"
#include "node/driver.h"
#include "node/verdict.h"

enum { PROBE_MS = 120000 };

static void complain(struct probe *probe, const char *why)
{
    if (!probe->complaint)
        probe->complaint = mem_text(why);
}

static void probe_close(struct probe *probe)
{
    blender_done(&probe->blender);
    work_close(&probe->work);
    output_done(&probe->output);
    probe->running = false;
}

static void ask(struct probe *probe, const char *question)
{
    channel_send(&probe->blender.channel, json_pack("{s:s}", "do", question));
}

static bool blender_run(struct probe *probe, const struct run_site *site,
                        int64_t now_ms)
{
    char driver[PATH_MAX];
    char why[LIMIT_REASON];
    if (!work_open(site->work_root, "probe", getpid(), &probe->work) ||
        !driver_write(probe->work.path, driver, sizeof driver))
        return false; /* OUTPUT's fault, not Blender's */
    const struct blender_options options = {.path = site->blender,
                                            .driver = driver,
                                            .work = probe->work.path,
                                            .bytecode = site->bytecode,
                                            .compile = true,
                                            .sandbox = site->sandbox,
                                            .nice = site->nice};
    if (blender_start(&probe->blender, &options, &probe->output, now_ms, why,
                      sizeof why))
        return true;
    complain(probe, why);
    return false;
}

void probe_start(struct probe *probe, const struct run_site *site,
                 int64_t now_ms)
{
    *probe = (struct probe){.work = {NULL, -1},
                            .blender = {.out_fd = -1, .channel = {.fd = -1}},
                            .until_ms = now_ms + PROBE_MS};
    probe->running = blender_run(probe, site, now_ms);
    if (probe->running)
        ask(probe, "probe");
    else
        probe_close(probe);
}

void probe_watch(struct probe *probe, struct poller *poller, int64_t now_ms)
{
    if (!probe->running)
        return;
    poller_watch(poller, probe->blender.out_fd);
    if (!probe->blender.reaped)
        poller_watch(poller, probe->blender.channel.fd);
    poller_until(poller, probe->until_ms);
    poller_until(poller, blender_tick(&probe->blender, now_ms));
}

static void answer_take(struct probe *probe, json_t *event)
{
    const char *version = json_string_value(json_object_get(event, "blender"));
    if (!version || probe->told)
        return;
    probe->told = true;
    probe->version = mem_text(version);
    probe->engines = json_incref(json_object_get(event, "engines"));
    probe->gpus = json_incref(json_object_get(event, "gpus"));
    ask(probe, "quit");
}

void probe_no_gl(struct probe *probe)
{
    for (size_t i = json_array_size(probe->engines); i-- > 0;) {
        const char *name = json_string_value(json_array_get(probe->engines, i));
        if (name && strncmp(name, "BLENDER_", 8) == 0)
            json_array_remove(probe->engines, i);
    }
}

static void end_judge(struct probe *probe)
{
    char text[LIMIT_REASON];
    if (probe->told || probe->blender.stopping)
        return;
    verdict_make(probe->blender.status, false, &probe->output, text,
                 sizeof text);
    complain(probe, text);
}

void probe_step(struct probe *probe, int64_t now_ms)
{
    if (!probe->running)
        return;
    json_t *event = NULL;
    blender_read(&probe->blender, now_ms);
    while ((event = channel_next(&probe->blender.channel))) {
        answer_take(probe, event);
        json_decref(event);
    }
    if (now_ms >= probe->until_ms) {
        complain(probe, "Blender does not answer");
        blender_stop(&probe->blender, now_ms);
    }
    blender_tick(&probe->blender, now_ms);
    if (!blender_is_gone(&probe->blender))
        return;
    end_judge(probe);
    probe_close(probe);
}

bool probe_is_over(const struct probe *probe)
{
    return probe->told || !probe->running;
}

bool probe_has_gpu(const struct probe *probe, const char *kind)
{
    size_t i = 0;
    json_t *gpu = NULL;
    json_array_foreach(probe->gpus, i, gpu)
    {
        const char *have = json_string_value(json_object_get(gpu, "kind"));
        if (have && strcasecmp(have, kind) == 0)
            return true;
    }
    return false;
}

void probe_stop(struct probe *probe, int64_t now_ms)
{
    if (probe->running)
        blender_stop(&probe->blender, now_ms);
}

void probe_done(struct probe *probe)
{
    if (probe->running)
        probe_close(probe);
    mem_free(probe->version);
    mem_free(probe->complaint);
    json_decref(probe->engines);
    json_decref(probe->gpus);
    *probe = (struct probe){.work = {NULL, -1}};
}
