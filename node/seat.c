/* SPDX-License-Identifier: Apache-2.0
 *
 * A file is the same while device, inode, size and both times are: ctime moves
 * even when a copy sets mtime back.
 */
#include "node/seat.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/limits.h"
#include "common/mem.h"
#include "node/driver.h"
#include "node/verdict.h"

enum { IDENTITY = 160 };

static void file_identity(const char *path, char ret[IDENTITY])
{
    struct stat st;
    if (stat(path, &st) < 0)
        snprintf(ret, IDENTITY, "none");
    else
        snprintf(ret, IDENTITY, "%ju:%ju:%jd:%jd.%09ld:%jd.%09ld",
                 (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
                 (intmax_t)st.st_size, (intmax_t)st.st_mtim.tv_sec,
                 st.st_mtim.tv_nsec, (intmax_t)st.st_ctim.tv_sec,
                 st.st_ctim.tv_nsec);
}

static struct seat *seat_new(const struct run_site *site)
{
    char program[IDENTITY];
    struct seat *seat = mem_new(sizeof *seat);
    seat->blender = (struct blender){.out_fd = -1, .channel = {.fd = -1}};
    seat->work = (struct work){NULL, -1};
    file_identity(site->blender, program);
    seat->program = mem_text(program);
    return seat;
}

/* Makes the folder with the driver in it. */
static bool folder_make(struct seat *seat, const struct run_site *site,
                        const char *name, int64_t now_ms, char *driver)
{
    return work_open(site->work_root, name, now_ms, &seat->work) &&
           driver_write(seat->work.path, driver, PATH_MAX);
}

struct seat *seat_open(const struct run_site *site,
                       const struct seat_order *order, int64_t now_ms,
                       enum fault *fault, char *why, size_t size)
{
    char driver[PATH_MAX];
    struct seat *seat = seat_new(site);
    if (!folder_make(seat, site, order->name, now_ms, driver)) {
        *fault = verdict_of_errno(errno);
        snprintf(why, size, "%s", strerror(errno));
        seat_close(&seat);
        return NULL;
    }
    const struct blender_options options = {.path = site->blender,
                                            .blend = order->blend,
                                            .driver = driver,
                                            .work = seat->work.path,
                                            .bytecode = site->bytecode,
                                            .sandbox = site->sandbox,
                                            .threads = site->threads,
                                            .nice = site->nice,
                                            .scripts = order->scripts,
                                            .trace = order->trace};
    struct output *output = order->output ? order->output : &seat->output;
    if (blender_start(&seat->blender, &options, output, now_ms, why, size))
        return seat;
    *fault = FAULT_NO_BLENDER;
    seat_close(&seat);
    return NULL;
}

void seat_hear(struct seat *seat, struct output *output)
{
    seat->blender.output = output ? output : &seat->output;
}

void seat_close(struct seat **seat)
{
    struct seat *old = *seat;
    if (!old)
        return;
    blender_done(&old->blender);
    work_close(&old->work);
    output_done(&old->output);
    mem_free(old->program);
    mem_free(old->key);
    mem_free(old->missing);
    mem_free(old);
    *seat = NULL;
}

char *seat_key(const struct run_site *site, const char *blend,
               const char *folder, const json_t *order)
{
    char program[IDENTITY];
    char file[IDENTITY];
    struct buf key;
    json_t *settings = json_copy((json_t *)(uintptr_t)order);
    json_object_del(settings, "output"); /* said anew with each job */
    char *text = json_dumps(settings, JSON_COMPACT | JSON_SORT_KEYS);
    file_identity(site->blender, program);
    file_identity(blend, file);
    buf_init(&key, LIMIT_BODY + LIMIT_EVENT);
    buf_print(&key, "%s\n%s\n%s\n%s\n%s", program, folder, text ? text : "",
              blend, file);
    char *ret = mem_text(buf_text(&key));
    free(text);
    json_decref(settings);
    buf_free(&key);
    return ret;
}

bool seat_is_current(const struct seat *seat, const struct run_site *site)
{
    char program[IDENTITY];
    file_identity(site->blender, program);
    return strcmp(program, seat->program) == 0;
}
