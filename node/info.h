/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /info: what a node is, has and can do.
 */
#ifndef FRAMEQ_NODE_INFO_H
#define FRAMEQ_NODE_INFO_H

#include <jansson.h>

struct node;

/* info_json returns it, owned by the caller. */
json_t *info_json(const struct node *node);

#endif
