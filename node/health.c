/* SPDX-License-Identifier: Apache-2.0
 *
 * Whether a node can render at all. Asked anew each time: a disk fills up and
 * is emptied, a mount comes and goes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/app/log.h"
#include "common/fault.h"
#include "common/limits.h"
#include "node/disk.h"
#include "node/node.h"

static bool device_is_missing(const struct node *node)
{
    const char *device = node->options.device;
    return node->probe.told && strcmp(device, "auto") != 0 &&
           strcmp(device, "cpu") != 0 && !probe_has_gpu(&node->probe, device);
}

enum fault node_health(const struct node *node, char *why, size_t size)
{
    const char *program = node->options.blender;
    const char *blender = node->blender ? node->blender : program;
    if (!node->blender || access(blender, X_OK) < 0) {
        snprintf(why, size, "there is no Blender at %s", blender);
        return FAULT_NO_BLENDER;
    }
    if (access(node->work_root, W_OK | X_OK) < 0) {
        snprintf(why, size, "cannot write %s: %s", node->output,
                 strerror(errno));
        return FAULT_UNWRITABLE;
    }
    const uint64_t free_bytes = disk_free(node->output);
    if (free_bytes < node->disk_need) {
        snprintf(why, size, "only %" PRIu64 " KiB are free in %s",
                 free_bytes / 1024, node->output);
        return FAULT_DISK_FULL;
    }
    if (node->probe.complaint) {
        snprintf(why, size, "Blender does not start: %s",
                 node->probe.complaint);
        return FAULT_NO_BLENDER;
    }
    if (device_is_missing(node)) {
        snprintf(why, size, "Blender finds no device for --device %s",
                 node->options.device);
        return FAULT_BAD_ENGINE;
    }
    return FAULT_NONE;
}

void node_health_log(const struct node *node)
{
    char why[LIMIT_REASON];
    const enum fault fault = node_health(node, why, sizeof why);
    if (fault != FAULT_NONE)
        log_warn("unwell", "fault=%s reason=%s", fault_word(fault),
                 log_quoted(why));
}
