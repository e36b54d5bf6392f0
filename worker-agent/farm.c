/* SPDX-License-Identifier: Apache-2.0
 *
 * Only the two ports are needed; whatever else the answer holds may change.
 */
#include "worker-agent/farm.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "worker-agent/agent.h"

#define FARM_MS 5000

void farm_ask(struct web *web, int64_t now_ms,
              const struct agent_options *options, web_done *done, void *ctx)
{
    char path[512];
    snprintf(path, sizeof path, "%s/v1/farm", options->broker);
    web_send(web, now_ms,
             &(struct web_request){.method = "GET",
                                   .url = path,
                                   .accept = "application/json",
                                   .token = options->token,
                                   .trust = options->trust,
                                   .timeout_ms = FARM_MS,
                                   .done = done,
                                   .ctx = ctx});
}

static int port_of(const json_t *ports, const char *name)
{
    json_int_t port = json_integer_value(json_object_get(ports, name));
    return port > 0 && port < 65536 ? (int)port : 0;
}

bool farm_read(const struct web_answer *answer, struct farm *ret, char *why,
               size_t size)
{
    if (answer->result != WEB_ANSWERED) {
        snprintf(why, size, "%s", answer->text);
        return false;
    }
    if (answer->status == 401 || answer->status == 403) {
        snprintf(why, size,
                 "the farm does not know this agent, or no longer: `frameq "
                 "agents add` lets one in; without --join it takes a token of "
                 "role read in FRAMEQ_TOKEN (`frameq token add`)");
        return false;
    }
    if (answer->status != 200) {
        snprintf(why, size, "it answered %d to GET /v1/farm", answer->status);
        return false;
    }
    json_t *json = json_loadb(answer->body, answer->len, 0, NULL);
    const json_t *ports = json_object_get(json, "ports");
    struct farm farm = {.status_port = port_of(ports, "status"),
                        .control_port = port_of(ports, "control")};
    const char *key = json_string_value(json_object_get(json, "server_key"));
    if (key != NULL && strlen(key) == CURVE_KEY_SIZE - 1)
        memcpy(farm.server_key, key, CURVE_KEY_SIZE);
    const char *results = json_string_value(json_object_get(json, "results"));
    farm.keeps = results != NULL && strcmp(results, "keep") == 0;
    json_decref(json);
    if (farm.status_port == 0 || farm.control_port == 0) {
        snprintf(why, size, "what answers there is no frameq-broker");
        return false;
    }
    *ret = farm;
    return true;
}
