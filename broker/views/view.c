/* SPDX-License-Identifier: Apache-2.0
 *
 * What all views are made of: members, times, texts, and the way out.
 */
#include "broker/views/view.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/app/clock.h"

void view_put(json_t *object, const char *name, json_t *value)
{
    json_object_set_new(object, name, value ? value : json_null());
}

json_t *view_time(int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];
    return ms == 0 ? json_null() : json_string(clock_text(ms, text));
}

json_t *view_seconds(int64_t ms)
{
    return json_real((double)ms / 1000.0);
}

json_t *view_text_or_null(const char *text)
{
    return text && *text ? json_string(text) : json_null();
}

static int write_piece(const char *bytes, size_t n, void *out)
{
    return buf_add(out, bytes, n) ? 0 : -1;
}

/* Fifteen digits: what a double can hold, and no 0.10000000000000001. */
bool view_write(const json_t *json, struct buf *out)
{
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15);
    return json_dump_callback(json, write_piece, out, flags) == 0;
}

char *view_lease(uint64_t lease, char ret[VIEW_LEASE_SIZE])
{
    uint64_t epoch = LEASE_EPOCH(lease);
    snprintf(ret, VIEW_LEASE_SIZE, "%" PRIu64 "-%" PRIu64, epoch,
             lease - LEASE_ID(epoch, 0));
    return ret;
}
