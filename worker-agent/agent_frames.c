/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames that the broker has taken for done, sent there where it keeps them,
 * and thumbnails and logs of all that it has settled.
 * What it has not acknowledged, frame by frame or by closing the lease, is not
 * sent: it may be another's.
 */
#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "common/app/log.h"
#include "common/app/manifest.h"
#include "common/picture/picture.h"
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

/* --- Thumbnails and logs. --- */

static void carry(struct agent *agent, const struct lease *lease, int32_t frame,
                  enum errand_kind kind)
{
    const struct errand errand = {kind, lease->id, lease->job, frame,
                                  lease->pid};
    if (lease->pid > 0 && agent->slots.node.can_logs)
        courier_add(agent->courier, &errand);
}

static void carry_acked(struct agent *agent, const struct lease *lease,
                        const struct msg_ack *ack)
{
    for (int32_t i = 0; i < lease_count(lease); i++) {
        const struct frame_result *result = &lease->frames[i];
        int32_t frame = lease->from + i * lease->step;
        bool meant = ack->closed || (frame >= ack->from && frame <= ack->to);
        if (result->done && !result->acked && meant)
            carry(agent, lease, frame, ERRAND_DONE);
    }
    if (ack->closed && lease->status == LEASE_FAILED && lease->blamed >= 0)
        carry(agent, lease, lease->blamed, ERRAND_FAILED);
}

void agent_asked(struct agent *agent, const struct msg_ask *ask)
{
    const struct lease *lease = slots_find(&agent->slots, ask->lease);
    if (*ask->path == '\0' && lease != NULL && lease->phase != PHASE_OVER)
        carry(agent, lease, ask->frame, ERRAND_LIVE);
    else if (*ask->path != '\0' && picture_is(ask->path) &&
             blob_is_name(ask->sha256) &&
             !sender_add(agent->sender, ask->path, ask->sha256))
        log_warn("picture_not_sent", "path=%s reason=%s", log_quoted(ask->path),
                 strerror(errno));
}

void agent_sends(struct agent *agent, const struct msg_acks *acks)
{
    for (size_t i = 0; i < acks->n; i++) {
        const struct lease *lease =
            slots_find(&agent->slots, acks->at[i].lease);
        if (lease == NULL)
            continue;
        if (agent->session.farm.keeps)
            send_acked(agent, lease, &acks->at[i]);
        carry_acked(agent, lease, &acks->at[i]);
    }
}
