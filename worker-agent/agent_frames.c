/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames that the broker has taken for done, sent there where it keeps them.
 * What it has not acknowledged, frame by frame or by closing the lease, is not
 * sent: it may be another's.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "common/app/log.h"
#include "common/app/manifest.h"
#include "worker-agent/agent_internal.h"

static void send_files(struct agent *agent, const char *files)
{
    size_t i;
    json_t *list = json_loads(files, 0, NULL), *file;
    json_array_foreach(list, i, file)
    {
        const char *path = json_string_value(json_object_get(file, "path"));
        const char *name = json_string_value(json_object_get(file, "sha256"));
        bool known = path != NULL && name != NULL && blob_is_name(name);
        if (known && !sender_add(agent->sender, path, name))
            log_warn("picture_not_sent", "path=%s reason=%s", log_quoted(path),
                     strerror(errno));
    }
    json_decref(list);
}

static void send_acked(struct agent *agent, const struct lease *lease,
                       const struct msg_ack *ack)
{
    for (int32_t i = 0; i < lease_count(lease); i++) {
        const struct frame_result *result = &lease->frames[i];
        int32_t frame = lease->from + i * lease->step;
        bool meant = ack->closed || (frame >= ack->from && frame <= ack->to);
        bool news = result->done && !result->acked && meant;
        if (news && result->files != NULL)
            send_files(agent, result->files);
    }
}

void agent_sends(struct agent *agent, const struct msg_acks *acks)
{
    if (!agent->session.farm.keeps)
        return;
    for (size_t i = 0; i < acks->n; i++) {
        const struct lease *lease =
            slots_find(&agent->slots, acks->at[i].lease);
        if (lease != NULL)
            send_acked(agent, lease, &acks->at[i]);
    }
}
