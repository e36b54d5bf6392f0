/* SPDX-License-Identifier: Apache-2.0
 *
 * What an agent chooses by. Paths of the machine stay out of it, but for
 * OUTPUT, which names the place of the pictures.
 */
#include "node/info.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "node/node.h"

static int cores_count(const struct node *node)
{
    cpu_set_t set;
    const int all =
        sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    const int asked = node->options.threads;
    return asked > 0 && asked < all ? asked : all;
}

static json_int_t memory_mb(void)
{
    const long pages = sysconf(_SC_PHYS_PAGES);
    const long page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (json_int_t)pages * page / 1048576 : 0;
}

/* What Cycles will render on, as the driver chooses it. */
static json_t *device_json(const struct node *node)
{
    static const char *const kinds[] = {"OPTIX", "CUDA", "HIP", "ONEAPI"};
    const char *wanted = node->options.device;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if ((strcmp(wanted, "auto") == 0 ||
             strcasecmp(wanted, kinds[i]) == 0) &&
            probe_has_gpu(&node->probe, kinds[i]))
            return json_string(kinds[i]);
    return json_string("CPU");
}

static json_t *list_or_empty(json_t *list)
{
    return list ? json_incref(list) : json_array();
}

static void put(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value ? value : json_null());
}

static void put_blender(json_t *object, const struct node *node)
{
    const char *version = node->probe.version;
    put(object, "blender", json_pack("{s:s?}", "version", version));
    put(object, "engines", list_or_empty(node->probe.engines));
    put(object, "gpus", list_or_empty(node->probe.gpus));
    put(object, "device", device_json(node));
}

static void put_health(json_t *object, const struct node *node)
{
    char why[LIMIT_REASON] = "";
    const enum fault fault = node_health(node, why, sizeof why);
    put(object, "healthy", json_boolean(fault == FAULT_NONE));
    put(object, "fault", json_string(fault_word(fault)));
    put(object, "reason", fault == FAULT_NONE ? NULL : json_string(why));
}

json_t *info_json(const struct node *node)
{
    json_t *object = json_object();
    put(object, "name", json_string(node->name));
    put(object, "version", json_string(FRAMEQ_VERSION));
    put_blender(object, node);
    put(object, "cores", json_integer(cores_count(node)));
    put(object, "memory_mb", json_integer(memory_mb()));
    put(object, "slots", json_integer(node->options.slots));
    put(object, "free", json_integer(node_free_slots(node)));
    put(object, "features",
        json_pack("[ssssss]", "wait", "patch", "delete", "key", "frames",
                  "logs"));
    put(object, "scripts", json_boolean(node->options.scripts));
    put(object, "sandbox", json_string(node->sandbox ? "bubblewrap" : "off"));
    put(object, "output", json_string(node->output));
    put_health(object, node);
    return object;
}
