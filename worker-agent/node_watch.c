/* SPDX-License-Identifier: Apache-2.0
 *
 * GET /info first: whoever answers it with what it should hold is our own
 * node, any other server that says yes to GET /health is a classic one.
 */
#include "worker-agent/node_watch.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define AGAIN_MS     3000 /* between questions while all is well */
#define DOWN_MIN_MS  100
#define DOWN_MAX_MS  1000
#define SILENCES_MAX 2 /* a node under load may miss one */
#define DOUBT_MS     100

bool node_facts_equal(const struct node_facts *a, const struct node_facts *b)
{
    bool same_state =
        a->known == b->known && a->up == b->up && a->well == b->well &&
        a->classic == b->classic && a->can_wait == b->can_wait &&
        a->can_trim == b->can_trim && a->can_stop == b->can_stop &&
        a->can_key == b->can_key && a->can_logs == b->can_logs;
    bool same_size = a->slots == b->slots && a->cores == b->cores &&
                     a->memory_mb == b->memory_mb && a->gpus == b->gpus;
    return same_state && same_size && strcmp(a->name, b->name) == 0 &&
           strcmp(a->version, b->version) == 0 &&
           strcmp(a->blender, b->blender) == 0 &&
           strcmp(a->device, b->device) == 0 && strcmp(a->error, b->error) == 0;
}

void node_watch_init(struct node_watch *watch, int64_t now_ms)
{
    *watch = (struct node_watch){
        .next = PROBE_INFO, .due_ms = now_ms, .backoff_ms = DOWN_MIN_MS};
}

enum probe node_watch_step(struct node_watch *watch, int64_t now_ms)
{
    if (watch->asking != PROBE_NONE || now_ms < watch->due_ms)
        return PROBE_NONE;
    watch->asking = watch->next;
    return watch->asking;
}

static void found(struct node_watch *watch, int64_t now_ms)
{
    watch->silences = 0;
    watch->backoff_ms = DOWN_MIN_MS;
    watch->due_ms = now_ms + AGAIN_MS;
}

static void found_ours(struct node_watch *watch, int64_t now_ms,
                       const struct node_facts *facts)
{
    found(watch, now_ms);
    watch->facts = *facts;
    watch->facts.known = watch->facts.up = true;
    watch->facts.classic = false;
    watch->next = PROBE_INFO;
}

static void found_classic(struct node_watch *watch, int64_t now_ms)
{
    found(watch, now_ms);
    watch->facts = (struct node_facts){
        .known = true, .up = true, .well = true, .classic = true, .slots = 1};
    watch->next = PROBE_HEALTH;
}

/* What was known of it stays, for it may come back with jobs still running. */
static void lost(struct node_watch *watch, int64_t now_ms, const char *why)
{
    watch->facts.up = false;
    snprintf(watch->facts.error, sizeof watch->facts.error, "%s", why);
    watch->next = PROBE_INFO;
    watch->due_ms = now_ms + watch->backoff_ms;
    watch->backoff_ms += watch->backoff_ms / 2;
    if (watch->backoff_ms > DOWN_MAX_MS)
        watch->backoff_ms = DOWN_MAX_MS;
}

static void silent(struct node_watch *watch, int64_t now_ms, const char *why)
{
    watch->silences++;
    if (watch->silences >= SILENCES_MAX || !watch->facts.up)
        lost(watch, now_ms, why);
    else
        watch->due_ms = now_ms;
}

/* Not our own: is it a node at all? */
static void ask_health(struct node_watch *watch, int64_t now_ms)
{
    watch->next = PROBE_HEALTH;
    watch->due_ms = now_ms;
}

void node_watch_answer(struct node_watch *watch, int64_t now_ms,
                       const struct probe_answer *answer)
{
    bool info = watch->asking == PROBE_INFO;
    assert(watch->asking != PROBE_NONE);
    watch->asking = PROBE_NONE;
    switch (answer->word) {
    case PROBE_INFORMED:
        found_ours(watch, now_ms, answer->facts);
        break;
    case PROBE_UNSENT:
        lost(watch, now_ms, answer->text);
        break;
    case PROBE_SILENT:
        silent(watch, now_ms, answer->text);
        break;
    case PROBE_ALIVE:
        if (info)
            ask_health(watch, now_ms);
        else
            found_classic(watch, now_ms);
        break;
    case PROBE_STRANGE:
        if (info)
            ask_health(watch, now_ms);
        else
            lost(watch, now_ms, answer->text);
        break;
    }
}

void node_watch_doubt(struct node_watch *watch, int64_t now_ms)
{
    int64_t soon = now_ms + DOUBT_MS;
    if (watch->facts.up && watch->due_ms > soon)
        watch->due_ms = soon;
}

int64_t node_watch_next(const struct node_watch *watch)
{
    return watch->asking == PROBE_NONE ? watch->due_ms : INT64_MAX;
}
