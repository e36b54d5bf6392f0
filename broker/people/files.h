/* SPDX-License-Identifier: Apache-2.0
 *
 * What stands between a submit and its job: of a scene that comes as a list of
 * uploaded files, until every one is known to be there; of one that is pinned,
 * until its version is known. Knows no path of the disk; blobs.h does.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_FILES_H
#define FRAMEQ_BROKER_PEOPLE_FILES_H

#include "broker/people/call.h"

/* files_settle calls submit at once where a call's body neither names an
 * uploaded scene nor pins one; else as soon as all its files are there, with
 * call->body naming them as the nodes' agents want it. Or it answers what is
 * wrong or missing. */
void files_settle(struct call *call, void (*submit)(struct call *call));

/* files_run gives out answers, and sweeps from time to time. */
void files_run(struct http *http, int64_t now_ms);

#endif
