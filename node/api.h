/* SPDX-License-Identifier: Apache-2.0
 *
 * The /job API: requests in, answers out. Keeps no state of its own; what it
 * may not answer yet waits in the node's waits.
 */
#ifndef FRAMEQ_NODE_API_H
#define FRAMEQ_NODE_API_H

#include <stdbool.h>

struct httpd_request;
struct node;

/* For httpd_options; ctx is the node. */
void api_handle(void *ctx, struct httpd_request *request);
void api_ended(void *ctx, struct httpd_request *request, bool answered);

/* api_answer answers whatever need not wait any longer. Returns whether there
 * was any. */
bool api_answer(struct node *node);

#endif
