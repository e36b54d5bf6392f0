/* SPDX-License-Identifier: Apache-2.0
 *
 * Why frames of a job fail, alike ones together: the question of the morning
 * after. Alike are charges of one fault whose texts differ in numbers, paths
 * and addresses only.
 */
#include "broker/views/view.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

#define GROUPS_MAX LIMIT_PAGE
#define TEXT_MAX   (LIMIT_FRAME_SPANS * 32)
#define RANGES_MAX 200 /* ranges written out for one group */

struct group {
    char *pattern; /* "<fault> <text without what varies>" */
    enum fault fault;
    const char *text; /* of its first frame; borrowed, may be NULL */
    struct ranges frames;
    int32_t failed; /* of them, given up */
    struct agent_name *agents;
    UT_hash_handle hh;
};

static bool is_path_start(const char *text, char before)
{
    bool apart = before == '\0' || strchr(" \t'\"(=:,<[", before) != NULL;
    return apart && text[0] == '/' && text[1] != '\0' && text[1] != ' ';
}

/* How much of text differs between failures that are alike: a path, up to the
 * quote or blank that ends it; an address; digits, with the hexadecimal ones
 * around them. 0: nothing. */
static size_t varying(const char *text, char before)
{
    if (is_path_start(text, before))
        return before == '\'' || before == '"'
                   ? strcspn(text, (char[]){before, '\0'})
                   : strcspn(text, " \t'\"),;<>]");
    if (isalpha((unsigned char)before))
        return 0;
    size_t n = strspn(text, "0123456789abcdefABCDEF");
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return 2 + strspn(text + 2, "0123456789abcdefABCDEF");
    bool word = isalnum((unsigned char)text[n]) != 0;
    if (n >= 8 && !word && strcspn(text, "0123456789") < n)
        return n;
    return strspn(text, "0123456789");
}

/* The text with all that varies as one '#'. Owned. */
static char *pattern_of(enum fault fault, const char *text)
{
    struct buf pattern;
    char before = '\0';
    buf_init(&pattern, 2 * LIMIT_REASON);
    buf_print(&pattern, "%s ", fault_word(fault));
    while (text && *text) {
        size_t n = varying(text, before);
        buf_add(&pattern, n > 0 ? "#" : text, 1);
        before = n > 0 ? '#' : *text;
        text += n > 0 ? n : 1;
    }
    return buf_take(&pattern);
}

/* The group of a failure, made where there is none; NULL past GROUPS_MAX. */
static struct group *group_get(struct group **groups, enum fault fault,
                               const char *text)
{
    struct group *group = NULL;
    char *pattern = pattern_of(fault, text);
    HASH_FIND_STR(*groups, pattern, group);
    if (group || HASH_COUNT(*groups) == GROUPS_MAX) {
        mem_free(pattern);
        return group;
    }
    group = mem_new(sizeof *group);
    *group = (struct group){.pattern = pattern, .fault = fault, .text = text};
    HASH_ADD_KEYPTR(hh, *groups, group->pattern, strlen(group->pattern), group);
    return group;
}

static void group_name(struct group *group, const char *agent)
{
    struct agent_name *name;
    LL_FOREACH (group->agents, name)
        if (strcmp(name->name, agent) == 0)
            return;
    name = mem_new(sizeof *name);
    name->name = mem_text(agent);
    LL_APPEND(group->agents, name);
}

static void group_add(struct group *group, const struct job *job,
                      const struct attempt *attempt)
{
    ranges_add(&group->frames, attempt->ordinal, attempt->ordinal + 1);
    if (ranges_has(&job->in[FRAME_FAILED], attempt->ordinal))
        group->failed++;
    for (struct agent_name *by = attempt->by; by; by = by->next)
        group_name(group, by->name);
    for (struct agent_name *by = attempt->lost_by; by; by = by->next)
        group_name(group, by->name);
}

/* Frames given up with the whole job, never charged themselves. */
static void add_uncharged(struct group **groups, const struct job *job)
{
    struct ranges uncharged = {0};
    ranges_copy(&uncharged, &job->in[FRAME_FAILED]);
    for (struct attempt *at = job->attempts; at; at = at->hh.next)
        ranges_remove(&uncharged, at->ordinal, at->ordinal + 1);
    struct group *group = NULL;
    if (uncharged.count > 0)
        group = group_get(groups, job->fault, job->reason);
    if (group) {
        ranges_add_all(&group->frames, &uncharged);
        group->failed += uncharged.count;
    }
    ranges_free(&uncharged);
}

static struct group *groups_collect(const struct job *job)
{
    struct group *groups = NULL;
    for (struct attempt *at = job->attempts; at; at = at->hh.next) {
        struct group *group =
            group_get(&groups, (enum fault)at->fault, at->text);
        if (group)
            group_add(group, job, at);
    }
    add_uncharged(&groups, job);
    return groups;
}

static int group_order(const struct group *a, const struct group *b)
{
    if (a->frames.count != b->frames.count)
        return a->frames.count > b->frames.count ? -1 : 1;
    return strcmp(a->pattern, b->pattern);
}

static void group_free(struct group *group)
{
    struct agent_name *name, *next;
    LL_FOREACH_SAFE (group->agents, name, next) {
        mem_free(name->name);
        mem_free(name);
    }
    ranges_free(&group->frames);
    mem_free(group->pattern);
    mem_free(group);
}

static json_t *group_view(const struct job *job, const struct group *group)
{
    struct buf frames;
    json_t *view = json_object(), *agents = json_array();
    buf_init(&frames, TEXT_MAX);
    frames_list(&job->frames, &group->frames, RANGES_MAX, &frames);
    for (struct agent_name *name = group->agents; name; name = name->next)
        json_array_append_new(agents, json_string(name->name));
    view_put(view, "fault", json_string(fault_word(group->fault)));
    view_put(view, "text", view_text_or_null(group->text));
    view_put(view, "remedy", json_string(fault_remedy(group->fault)));
    view_put(view, "count", json_integer(group->frames.count));
    view_put(view, "failed", json_integer(group->failed));
    view_put(view, "frames", json_string(buf_text(&frames)));
    view_put(view, "agents", agents);
    buf_free(&frames);
    return view;
}

json_t *view_failures(const struct job *job)
{
    struct group *groups = groups_collect(job), *group, *next;
    json_t *list = json_array();
    HASH_SORT(groups, group_order);
    HASH_ITER (hh, groups, group, next) {
        json_array_append_new(list, group_view(job, group));
        HASH_DEL(groups, group);
        group_free(group);
    }
    return json_pack("{s:o}", "failures", list);
}
