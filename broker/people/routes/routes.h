/* SPDX-License-Identifier: Apache-2.0
 *
 * The tables of all routes, one file a resource. Each ends with a row without
 * method; the list ends with NULL.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_ROUTES_ROUTES_H
#define FRAMEQ_BROKER_PEOPLE_ROUTES_ROUTES_H

#include "broker/people/route.h"

extern const struct route routes_classic[]; /* /render /status /health */
extern const struct route routes_jobs[];
extern const struct route routes_job_list[];
extern const struct route routes_frames[];
extern const struct route routes_artifacts[]; /* logs and thumbnails */
extern const struct route routes_leases[];    /* what agents send of them */
extern const struct route routes_agents[];
extern const struct route routes_agent_keys[];
extern const struct route routes_farm[];
extern const struct route routes_events[];
extern const struct route routes_system[];
extern const struct route routes_activity[];
extern const struct route routes_backup[];
extern const struct route routes_blobs[]; /* uploaded files */
extern const struct route routes_movie[];
extern const struct route routes_webhooks[];
extern const struct route routes_page[];
extern const struct route routes_session[];

extern const struct route *const routes_all[];

#endif
