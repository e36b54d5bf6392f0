/* SPDX-License-Identifier: Apache-2.0
 *
 * What `frameq watch` shows on a whole terminal. Every page has a head of one
 * line and a foot of one; what lies between is shared out, and what happened
 * lately takes what is left.
 */
#include "cli/watch/board.h"

#include <stdio.h>
#include <string.h>

#include "cli/agent.h"
#include "cli/doc.h"
#include "cli/human.h"
#include "cli/job.h"
#include "cli/watch/lines.h"

#define RECENT_KEPT 200
#define FAULT_LINES 2

void board_done(struct board *board)
{
    json_decref(board->recent);
    board->recent = NULL;
}

void board_recent(struct board *board, const char *job, const char *text)
{
    if (board->recent == NULL)
        board->recent = json_array();
    json_array_append_new(board->recent,
                          json_pack("{s:s,s:s}", "job", job, "text", text));
    if (json_array_size(board->recent) > RECENT_KEPT)
        json_array_remove(board->recent, 0);
}

/* --- Which job. --- */

/* The jobs in the order they are shown, borrowed, in an array of its own. */
static json_t *jobs_in_order(const struct board *board)
{
    static const char *const states[] = {"running", "queued",    "paused",
                                         "failed",  "cancelled", "completed"};
    json_t *order = json_array(), *job;
    const char *id;
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        json_object_foreach(board->mirror->jobs, id, job)
        {
            if (doc_is(job, "state", states[i]))
                json_array_append(order, job);
        }
    return order;
}

/* The place of the chosen job; the first when it is not there. */
static size_t chosen_index(const struct board *board, const json_t *order)
{
    size_t n = json_array_size(order);
    for (size_t i = 0; i < n; i++)
        if (doc_is(json_array_get(order, i), "id", board->chosen))
            return i;
    return 0;
}

static void choose(struct board *board, const json_t *order, size_t i)
{
    snprintf(board->chosen, sizeof board->chosen, "%s",
             doc_text(json_array_get(order, i), "id"));
}

/* Chooses the job that is `by` places further down, as far as there are any. */
static void move(struct board *board, long by)
{
    if (board->one)
        return;
    json_t *order = jobs_in_order(board);
    long n = (long)json_array_size(order);
    long i = (long)chosen_index(board, order) + by;
    if (i >= n)
        i = n - 1;
    choose(board, order, i < 0 ? 0 : (size_t)i);
    json_decref(order);
}

const json_t *board_job(struct board *board)
{
    if (board->page == BOARD_FARM)
        move(board, 0);
    return json_object_get(board->mirror->jobs, board->chosen);
}

/* --- Keys. --- */

static enum board_act answer(struct board *board, int key)
{
    /* It may be gone meanwhile, and another one be chosen. */
    bool same = strcmp(board->asked, board->chosen) == 0;
    board->asked[0] = '\0';
    if (same && (key == 'y' || key == 'Y'))
        return BOARD_CANCEL;
    snprintf(board->note, sizeof board->note, "not cancelled");
    return BOARD_NOTHING;
}

/* Back to where one came from; from the first page, out. */
static enum board_act leave(struct board *board)
{
    if (board->page == BOARD_FARM || board->one)
        return BOARD_QUIT;
    board->page = BOARD_FARM;
    return BOARD_NOTHING;
}

static enum board_act act(struct board *board, int key)
{
    const json_t *job = board_job(board);
    if (job == NULL) {
        snprintf(board->note, sizeof board->note, "no job is chosen");
        return BOARD_NOTHING;
    }
    if (key == 'p')
        return BOARD_PAUSE;
    if (key == 'r')
        return BOARD_RETRY;
    if (key == 'c')
        memcpy(board->asked, board->chosen, sizeof board->asked);
    board->page = key == KEY_ENTER ? BOARD_JOB : board->page;
    return BOARD_NOTHING;
}

enum board_act board_key(struct board *board, int key)
{
    board->note[0] = '\0';
    if (board->asked[0] != '\0')
        return answer(board, key);
    if (board->help) {
        board->help = false;
        return BOARD_NOTHING;
    }
    switch (key) {
    case 'q':
        return BOARD_QUIT;
    case KEY_ESCAPE:
    case KEY_BACK:
    case 'h':
        return leave(board);
    case '?':
        board->help = true;
        return BOARD_NOTHING;
    case KEY_UP:
    case 'k':
        move(board, -1);
        return BOARD_NOTHING;
    case KEY_DOWN:
    case 'j':
        move(board, 1);
        return BOARD_NOTHING;
    case KEY_HOME:
    case 'g':
        move(board, -LIMIT_JOBS);
        return BOARD_NOTHING;
    case KEY_END:
    case 'G':
        move(board, LIMIT_JOBS);
        return BOARD_NOTHING;
    case 'p':
    case 'r':
    case 'c':
    case 'l':
    case '\n':
    case KEY_ENTER:
        return act(board, key == 'l' || key == '\n' ? KEY_ENTER : key);
    default:
        return BOARD_NOTHING;
    }
}

/* --- Drawing. --- */

static void count_states(const json_t *object, bool agents, const char *state,
                         struct buf *out)
{
    const char *key;
    json_t *item;
    int n = 0;
    json_object_foreach((json_t *)(uintptr_t)object, key, item)
    {
        const char *own = agents ? agent_state(item) : doc_text(item, "state");
        n += strcmp(own, state) == 0;
    }
    if (n > 0)
        buf_print(out, "  %d %s", n, state);
}

static void draw_head(struct board *board, struct lines *lines)
{
    static const char *const jobs[] = {"running", "queued", "paused", "failed"};
    static const char *const agents[] = {"up", "drained", "silent", "gone",
                                         "lost"};
    struct buf text;
    buf_init(&text, LIMIT_SPEC);
    buf_print(&text, "frameq  %s  jobs:", board->url);
    for (size_t i = 0; i < sizeof jobs / sizeof *jobs; i++)
        count_states(board->mirror->jobs, false, jobs[i], &text);
    buf_print(&text, "  agents:");
    for (size_t i = 0; i < sizeof agents / sizeof *agents; i++)
        count_states(board->mirror->agents, true, agents[i], &text);
    lines_end(lines, BOLD, &text);
    buf_free(&text);
}

static void draw_foot(struct board *board, struct lines *lines)
{
    lines->room = board->rows;
    while (lines->n < board->rows - 1)
        lines_text(lines, PLAIN, "%s", "");
    if (board->asked[0] != '\0') {
        const json_t *job = json_object_get(board->mirror->jobs, board->asked);
        struct bar bar = job_bar(job);
        lines_text(lines, BOLD,
                   "cancel %.80s? %lld of %lld frames are done and stay. y / n",
                   job == NULL ? "it" : job_label(job), (long long)bar.done,
                   (long long)bar.total);
    } else if (board->note[0] != '\0') {
        lines_text(lines, BOLD, "%s", board->note);
    } else if (!board->keys) {
        lines_text(lines, DIM, "Ctrl-C ends this; jobs go on");
    } else if (board->page == BOARD_JOB) {
        lines_text(lines, DIM,
                   "p pause  r retry failed  c cancel  %s? help  "
                   "q quit",
                   board->one ? "" : "Esc back  ");
    } else {
        lines_text(lines, DIM,
                   "j/k choose  Enter open  p pause  r retry "
                   "failed  c cancel  ? help  q quit");
    }
}

/* As many jobs as there is room for, around the chosen one. */
static void draw_jobs(struct board *board, struct lines *lines, int room)
{
    json_t *order = jobs_in_order(board);
    int n = (int)json_array_size(order), at = (int)chosen_index(board, order);
    const char *mark = board->term->utf8 ? "▸ " : "] ";
    int first = at - room / 2;
    if (first > n - room)
        first = n - room;
    if (first < 0)
        first = 0;
    choose(board, order, (size_t)at);
    if (n > room)
        lines_text(lines, DIM, "JOBS %d-%d of %d", first + 1, first + room, n);
    else
        lines_text(lines, DIM, "JOBS");
    for (int i = first; i < n && i < first + room; i++)
        lines_job(lines, i == at && board->keys ? mark : "  ", i == at,
                  json_array_get(order, (size_t)i));
    if (n == 0)
        lines_text(lines, PLAIN,
                   "  no jobs under way: frameq submit shot.blend -f 1-250");
    json_decref(order);
}

/* Whether an agent renders the job; NULL: any. */
static bool renders(const json_t *agent, const char *job)
{
    size_t i;
    const json_t *lease;
    bool found = job == NULL;
    json_array_foreach(json_object_get(agent, "leases"), i, lease)
    {
        found = found || doc_is(lease, "job", job);
    }
    return found;
}

static void draw_agents(struct board *board, struct lines *lines, int room,
                        const char *job)
{
    const char *name;
    json_t *agent;
    int shown = 0, left = 0;
    lines_text(lines, DIM, "AGENTS");
    json_object_foreach(board->mirror->agents, name, agent)
    {
        if (!renders(agent, job))
            continue;
        if (shown < room)
            lines_agent(lines, "  ", agent);
        shown++;
        left += shown > room;
    }
    if (shown == 0)
        lines_text(lines, PLAIN, "  %s",
                   job == NULL
                       ? "none yet: frameq-agent --start-node on a machine "
                         "with Blender"
                       : "none renders it just now");
    if (left > 0)
        lines_text(lines, DIM, "  and %d more: frameq agents", left);
}

static void draw_faults(struct board *board, struct lines *lines, int room,
                        const char *job)
{
    const json_t *faults = board->mirror->faults;
    int shown = 0;
    for (size_t i = json_array_size(faults); i > 0 && shown < room; i--) {
        const json_t *group = json_array_get(faults, i - 1);
        if (job != NULL && !doc_is(group, "job", job))
            continue;
        if (shown++ == 0)
            lines_text(lines, DIM, "FAILURES");
        lines_fault(lines, group, job != NULL);
    }
}

static bool is_told_of(const json_t *item, const char *job)
{
    return job == NULL || doc_is(item, "job", job);
}

/* The last of what happened, in all the lines that are left. */
static void draw_recent(struct board *board, struct lines *lines,
                        const char *job)
{
    int room = lines->room - lines->n - 1, n = 0;
    size_t first = json_array_size(board->recent);
    while (first > 0 && n < room)
        n += is_told_of(json_array_get(board->recent, --first), job);
    if (n == 0)
        return;
    lines_text(lines, DIM, "LATELY");
    for (size_t i = first; i < json_array_size(board->recent); i++) {
        const json_t *item = json_array_get(board->recent, i);
        if (is_told_of(item, job))
            lines_text(lines, PLAIN, "  %s", doc_text(item, "text"));
    }
}

static void draw_farm(struct board *board, struct lines *lines)
{
    int body = board->rows - 2,
        jobs = (int)json_object_size(board->mirror->jobs);
    int most = body / 3 > 1 ? body / 3 : 1;
    draw_head(board, lines);
    draw_jobs(board, lines, jobs < most ? jobs : most);
    draw_agents(board, lines, body / 4, NULL);
    draw_faults(board, lines, body / 5 / FAULT_LINES, NULL);
    draw_recent(board, lines, NULL);
}

static void draw_one(struct board *board, struct lines *lines)
{
    char eta[HUMAN_SIZE];
    int body = board->rows - 2;
    const char *id = board->chosen;
    const json_t *job = board_job(board);
    if (job == NULL) {
        lines_text(lines, BOLD, "the job has been removed");
        return;
    }
    struct bar bar = job_bar(job);
    lines_text(lines, BOLD, "%s  %s  %s", job_label(job),
               doc_text(job, "state"), id);
    lines_job(lines, "", false, job);
    human_left(job, eta);
    lines_text(lines, PLAIN,
               "%lld done, %lld rendering, %lld failed, %lld cancelled of %lld"
               "%s%s",
               (long long)bar.done, (long long)bar.leased,
               (long long)bar.failed, (long long)bar.cancelled,
               (long long)bar.total, *eta != '\0' ? "; left: " : "", eta);
    draw_agents(board, lines, body / 3, id);
    draw_faults(board, lines, body / 3 / FAULT_LINES, id);
    draw_recent(board, lines, id);
}

static void draw_help(struct lines *lines)
{
    static const char *const texts[] = {
        "KEYS",
        "  j k, arrows   choose a job; g and G the first and the last",
        "  Enter, l      open it: its agents, its failures",
        "  Esc, h        back",
        "  p             pause the job, or let it go on",
        "  r             render its failed frames again",
        "  c             cancel it; asks first",
        "  q, Ctrl-C     leave; jobs go on",
        "",
        "Any key goes back.",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        lines_text(lines, i == 0 ? BOLD : PLAIN, "%s", texts[i]);
}

void board_draw(struct board *board, struct buf *out)
{
    struct lines lines = {
        .term = board->term, .out = out, .room = board->rows - 1};
    if (board->help)
        draw_help(&lines);
    else if (board->page == BOARD_JOB)
        draw_one(board, &lines);
    else
        draw_farm(board, &lines);
    draw_foot(board, &lines);
}
