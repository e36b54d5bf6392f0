/* SPDX-License-Identifier: Apache-2.0
 *
 * The list of tables. The routes asked for most come first.
 */
#include "broker/people/routes/routes.h"

#include <stddef.h>

const struct route *const routes_all[] = {routes_classic,
                                          routes_jobs,
                                          routes_job_list,
                                          routes_frames,
                                          routes_artifacts,
                                          routes_leases,
                                          routes_agents,
                                          routes_agent_keys,
                                          routes_farm,
                                          routes_events,
                                          routes_system,
                                          routes_activity,
                                          routes_backup,
                                          routes_blobs,
                                          routes_movie,
                                          routes_webhooks,
                                          routes_page,
                                          routes_session,
                                          NULL};
