/* SPDX-License-Identifier: Apache-2.0
 *
 * The first of the list is the one whose file is being written.
 */
#include "broker/people/key_changes.h"

#include <sodium.h>

#include "broker/agents/keys.h"
#include "broker/people/reply.h"
#include "common/mem.h"

static void change_free(struct http *http, struct key_change *change)
{
    DL_DELETE(http->key_changes, change);
    sodium_memzero(&change->join, sizeof change->join);
    mem_free(change->who);
    mem_free(change);
}

static void leave(struct call *call)
{
    struct key_change *change = call->work;
    change->call = NULL;
    if (change != call->http->key_changes)
        change_free(call->http, change);
}

/* why: NULL where it was made. */
static void end_first(struct http *http, enum rc rc, const char *why)
{
    struct key_change *change = http->key_changes;
    if (change->call)
        (void)call_unpark(change->call);
    if (why == NULL)
        change->done(http, change);
    else if (change->call)
        reply_problem(change->call, rc, "%s", why);
    change_free(http, change);
}

static enum rc change_keys(struct http *http, struct key_change *change,
                           char *why, size_t size)
{
    const char *name = change->join.name;
    return change->removes
               ? keys_remove(http->keys, name, why, size)
               : keys_add(http->keys, name, change->join.secret, why, size);
}

static void written(void *ctx, const char *reason);

/* Begins the next that is not refused. */
static void begin_first(struct http *http)
{
    char why[LIMIT_REASON];
    while (http->key_changes) {
        enum rc rc = change_keys(http, http->key_changes, why, sizeof why);
        if (rc == RC_OK) {
            store_file(broker_store(http->broker), keys_path(http->keys),
                       keys_file(http->keys), written, http);
            return;
        }
        end_first(http, rc, why);
    }
}

static void written(void *ctx, const char *reason)
{
    struct http *http = ctx;
    keys_end(http->keys, reason == NULL);
    end_first(http, RC_INTERNAL, reason);
    begin_first(http);
}

void key_change_begin(struct call *call, const struct key_change *change)
{
    struct http *http = call->http;
    struct key_change *copy = mem_copy(change, sizeof *change);
    bool first = http->key_changes == NULL;
    copy->call = call;
    copy->who = mem_text(call_who(call));
    DL_APPEND(http->key_changes, copy);
    call_park(call, copy, leave, NULL);
    if (first)
        begin_first(http);
}

void key_changes_close(struct http *http)
{
    while (http->key_changes)
        change_free(http, http->key_changes);
}
