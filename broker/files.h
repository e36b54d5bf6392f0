/* SPDX-License-Identifier: Apache-2.0
 *
 * Scenes that come as a list of uploaded files: what stands between a submit
 * and its job until every file of the list is known to be there. Knows no path
 * of the disk; blobs.h does.
 */
#ifndef FRAMEQ_BROKER_FILES_H
#define FRAMEQ_BROKER_FILES_H

#include "broker/call.h"

/* files_settle calls submit at once where a call's body names no uploaded
 * scene; else as soon as all its files are there, with call->body naming them
 * as the nodes' agents want it. Or it answers what is wrong or missing. */
void files_settle(struct call *call, void (*submit)(struct call *call));

/* files_run gives out answers, and sweeps from time to time. */
void files_run(struct http *http, int64_t now_ms);

#endif
