/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /v1/webhooks: what a receiver of webhooks needs.
 */
#include "broker/people/reply.h"
#include "broker/people/routes/routes.h"
#include "broker/views/view.h"

static void get_webhooks(struct call *call)
{
    const struct hooks *hooks = call->http->hooks;
    if (!hooks) {
        reply_problem(call, RC_NOT_FOUND, "this broker sends no webhooks");
        return;
    }
    json_t *view = json_object();
    view_put(view, "secret", json_string(hooks_secret(hooks)));
    view_put(view, "waiting", json_integer((json_int_t)hooks_waiting(hooks)));
    reply_json(call, 200, view);
}

const struct route routes_webhooks[] = {
    {"GET", "/v1/webhooks", get_webhooks, TOKEN_ADMIN},
    {0},
};
