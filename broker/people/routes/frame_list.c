/* SPDX-License-Identifier: Apache-2.0
 *
 * A page is a set of ordinals chosen once, from the core; their facts are read
 * run by run, so that no fact is read that is not shown.
 */
#include "broker/people/routes/frame_list.h"

#include <stdio.h>
#include <string.h>

#include "broker/people/reply.h"
#include "broker/views/view.h"
#include "common/mem.h"
#include "common/text.h"

#define PAGE_DEFAULT 100

struct frame_list {
    struct ranges page;
    int32_t run;   /* of page.at, being read */
    int32_t next;  /* frame number where the next page begins; -1 none */
    json_t *items; /* of the runs read so far */
};

static void list_free(void *work)
{
    struct frame_list *list = work;
    ranges_free(&list->page);
    json_decref(list->items);
    mem_free(list);
}

static int find_state(const char *word, size_t len)
{
    for (int i = 0; i < FRAME_STATES; i++)
        if (text_equals(frame_word((enum frame_state)i), word, len))
            return i;
    return -1;
}

/* The set of the states that are named; for no word, every frame. */
static bool choose_set(struct call *call, const struct job *job,
                       struct ranges *ret)
{
    const char *word = call_query(call, "state");
    if (!word) {
        ranges_add(ret, 0, job->frames.count);
        return true;
    }
    for (;; word++) {
        size_t len = strcspn(word, ",");
        int state = find_state(word, len);
        if (state < 0) {
            reply_problem(call, RC_INVALID,
                          "parameter `state`: must be pending, leased, done, "
                          "failed or cancelled, or some of them with commas "
                          "between");
            return false;
        }
        ranges_add_all(ret, &job->in[state]);
        word += len;
        if (*word == '\0')
            return true;
    }
}

/* The first ordinal whose number is at least `from`; count when none is. */
static int32_t first_from(const struct frames *frames, int32_t from)
{
    int32_t low = 0, high = frames->count;
    while (low < high) {
        int32_t mid = low + (high - low) / 2;
        if (frames_number(frames, mid) < from)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Cuts set to its first limit members from ordinal lo on. Returns the ordinal
 * of the next one, or -1. */
static int32_t cut_page(struct ranges *set, int32_t lo, int32_t limit)
{
    ranges_remove(set, 0, lo);
    for (int32_t i = 0; i < set->n; i++) {
        struct range run = set->at[i];
        if (run.hi - run.lo > limit) {
            int32_t next = run.lo + limit;
            ranges_remove(set, next, set->at[set->n - 1].hi);
            return next;
        }
        limit -= run.hi - run.lo;
        if (limit == 0 && i + 1 < set->n) {
            int32_t next = set->at[i + 1].lo;
            ranges_remove(set, next, set->at[set->n - 1].hi);
            return next;
        }
    }
    return -1;
}

static bool choose_page(struct call *call, const struct job *job,
                        struct frame_list *list)
{
    static const struct field_bounds froms = {0, LIMIT_FRAME_MAX};
    static const struct field_bounds limits = {1, LIMIT_PAGE};
    int64_t from = 0, limit = PAGE_DEFAULT;
    if (!call_number(call, "from", froms, &from) ||
        !call_number(call, "limit", limits, &limit) ||
        !choose_set(call, job, &list->page))
        return false;
    int32_t next = cut_page(
        &list->page, first_from(&job->frames, (int32_t)from), (int32_t)limit);
    list->next = next < 0 ? -1 : frames_number(&job->frames, next);
    return true;
}

static void reply_list(struct call *call, struct frame_list *list)
{
    char next[16];
    json_t *view = json_object();
    snprintf(next, sizeof next, "%d", list->next);
    view_put(view, "frames", json_incref(list->items));
    view_put(view, "next", list->next < 0 ? json_null() : json_string(next));
    reply_json(call, 200, view);
    list_free(list);
}

static void list_step(struct call *call, struct frame_list *list);

static void add_run(struct frame_list *list, const struct job *job,
                    const struct frame_fact *facts, size_t n)
{
    struct range run = list->page.at[list->run++];
    for (int32_t at = run.lo; at < run.hi; at++) {
        bool known = n > 0 && facts->ordinal == at;
        json_array_append_new(list->items,
                              view_frame(job, at, known ? facts : NULL));
        facts += known;
        n -= known;
    }
}

static void take_run(void *ctx, const struct frame_fact *facts, size_t n)
{
    struct call *call = ctx;
    struct frame_list *list = call_unpark(call);
    const struct job *job = call_job(call);
    if (!job) {
        list_free(list);
        return;
    }
    add_run(list, job, facts, n);
    list_step(call, list);
}

static void list_step(struct call *call, struct frame_list *list)
{
    if (list->run == list->page.n) {
        reply_list(call, list);
        return;
    }
    const struct call_reading reading = {call->params.at[0],
                                         list->page.at[list->run], take_run};
    call_read(call, &reading, list, list_free);
}

void frame_list_begin(struct call *call, const struct job *job)
{
    struct frame_list *list = mem_new(sizeof *list);
    list->items = json_array();
    if (choose_page(call, job, list))
        list_step(call, list);
    else
        list_free(list);
}
