/* SPDX-License-Identifier: Apache-2.0
 *
 * Members of a JSON object as text, for what is written too often to build it
 * as a json_t first: feed events. Each call appends ,"name":value to out, whose
 * maximum is the caller's affair. Names are literals, written as they are.
 */
#ifndef FRAMEQ_BROKER_VIEWS_MEMBER_H
#define FRAMEQ_BROKER_VIEWS_MEMBER_H

#include <jansson.h>
#include <stdint.h>

#include "common/buf.h"

/* member_text: NULL and "" become null, as with view_text_or_null; so does a
 * text that is no UTF-8. */
void member_text(struct buf *out, const char *name, const char *text);
void member_integer(struct buf *out, const char *name, int64_t value);

/* member_thousandths writes value / 1000 as a real number; value >= 0. */
void member_thousandths(struct buf *out, const char *name, int64_t value);

/* member_json takes value; NULL becomes null. */
void member_json(struct buf *out, const char *name, json_t *value);

#endif
