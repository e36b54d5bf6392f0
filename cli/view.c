/* SPDX-License-Identifier: Apache-2.0
 *
 * What `frameq watch` shows in a terminal. Colours are put around whole lines,
 * after these are cut to the terminal's width.
 */
#include "cli/view.h"

#include <string.h>

#include "cli/agent.h"
#include "cli/doc.h"
#include "cli/human.h"
#include "cli/job.h"
#include "common/fault.h"
#include "common/limits.h"

#define NAME_COLUMN  22
#define BAR_WIDTH    24
#define BAR_ROOM     70 /* columns below which there is no bar */
#define FAULTS_SHOWN 3

struct lines {
    const struct view *view;
    struct buf *out;
    int n;
};

/* Ends a line: text, cut and painted. Empties text. */
static void line_end(struct lines *lines, enum colour colour, struct buf *text)
{
    const struct term *term = lines->view->term;
    struct buf cut;
    buf_init(&cut, LIMIT_SPEC);
    width_cut(buf_text(text), term->width > 1 ? term->width - 1 : 1000, term,
              &cut);
    if (lines->n < lines->view->rows) {
        term_paint(term, colour, buf_text(&cut), lines->out);
        buf_print(lines->out, "\n");
        lines->n++;
    }
    buf_free(&cut);
    buf_clear(text);
}

static void pad_to(struct buf *text, int used, int column)
{
    buf_print(text, "%*s", used < column ? column - used : 1, "");
}

static void draw_job(struct lines *lines, const json_t *job)
{
    char eta[HUMAN_SIZE];
    struct buf text;
    const struct term *term = lines->view->term;
    struct bar bar = job_bar(job);
    const char *state = doc_text(job, "state");
    const struct glyph *glyph = glyph_find(state);
    buf_init(&text, LIMIT_SPEC);
    buf_print(&text, "%s ", glyph_text(glyph, term));
    pad_to(&text, width_cut(job_label(job), NAME_COLUMN, term, &text),
           NAME_COLUMN + 1);
    if (term->width == 0 || term->width >= BAR_ROOM) {
        bar_draw(&bar, term, BAR_WIDTH, &text);
        buf_print(&text, " ");
    }
    buf_print(&text, "%lld/%lld", (long long)bar.done, (long long)bar.total);
    if (bar.failed > 0)
        buf_print(&text, "  %s %lld", glyph_text(glyph_find("failed"), term),
                  (long long)bar.failed);
    if (strcmp(state, "running") != 0)
        buf_print(&text, "  %s", state);
    human_eta(json_object_get(job, "eta_seconds"), eta);
    buf_print(&text, "%s%s", *eta != '\0' ? "  " : "", eta);
    line_end(lines, glyph->colour, &text);
    buf_free(&text);
}

/* Draws the jobs in a state, but leaves `spare` lines for what follows. */
static void draw_jobs(struct lines *lines, const char *state, int spare)
{
    const char *id;
    json_t *job;
    json_object_foreach(lines->view->mirror->jobs, id, job)
    {
        bool wanted = lines->view->job == NULL
                          ? doc_is(job, "state", state)
                          : strcmp(id, lines->view->job) == 0;
        if (wanted && lines->n < lines->view->rows - spare)
            draw_job(lines, job);
    }
}

/* Whether an agent has something to say here. */
static bool is_of_interest(const struct view *view, const json_t *agent)
{
    size_t i;
    const json_t *lease;
    if (view->job == NULL)
        return true;
    json_array_foreach(json_object_get(agent, "leases"), i,
                       lease) if (doc_is(lease, "job", view->job)) return true;
    return false;
}

static void draw_agent(struct lines *lines, const json_t *agent)
{
    struct buf text;
    const struct term *term = lines->view->term;
    const char *state = agent_state(agent);
    const struct glyph *glyph = glyph_find(state);
    bool busy = json_array_size(json_object_get(agent, "leases")) > 0;
    buf_init(&text, LIMIT_SPEC);
    buf_print(&text, "%s ", glyph_text(glyph, term));
    pad_to(&text, width_cut(doc_text(agent, "name"), NAME_COLUMN, term, &text),
           NAME_COLUMN + 1);
    agent_tell_leases(agent, &text);
    if (!busy)
        buf_print(&text, "%s", strcmp(state, "up") == 0 ? "idle" : state);
    if (*doc_text(agent, "why") != '\0' && !doc_is(agent, "why", state))
        buf_print(&text, "%s%s", ": ", doc_text(agent, "why"));
    line_end(lines, busy ? PLAIN : glyph->colour, &text);
    buf_free(&text);
}

static void draw_agents(struct lines *lines, int spare)
{
    const char *name;
    json_t *agent;
    json_object_foreach(lines->view->mirror->agents, name,
                        agent) if (is_of_interest(lines->view, agent) &&
                                   lines->n < lines->view->rows - spare)
        draw_agent(lines, agent);
}

static void draw_fault(struct lines *lines, const json_t *group)
{
    struct buf text;
    int64_t failed = doc_int(group, "failed"), tries = doc_int(group, "tries");
    const char *name = doc_text(group, "name"), *id = doc_text(group, "job");
    buf_init(&text, LIMIT_SPEC);
    buf_print(&text, "%s ",
              glyph_text(glyph_find("failed"), lines->view->term));
    if (lines->view->job == NULL)
        buf_print(&text, "%s ", *name != '\0' ? name : id);
    buf_print(&text, "%lld x %s", (long long)(failed > tries ? failed : tries),
              doc_text(group, "fault"));
    if (doc_has(group, "agent"))
        buf_print(&text, " on %s", doc_text(group, "agent"));
    if (doc_has(group, "text"))
        buf_print(&text, ": %s", doc_text(group, "text"));
    line_end(lines, RED, &text);
    if (failed > 0) {
        buf_print(&text, "  again: frameq retry %.8s%s", id, lines->view->hint);
        line_end(lines, PLAIN, &text);
    } else {
        buf_print(&text, "  %s",
                  fault_remedy(fault_find(doc_text(group, "fault"))));
        line_end(lines, DIM, &text);
    }
    buf_free(&text);
}

static void draw_faults(struct lines *lines)
{
    const json_t *faults = lines->view->mirror->faults;
    size_t shown = 0;
    for (size_t i = json_array_size(faults); i > 0 && shown < FAULTS_SHOWN;
         i--) {
        const json_t *group = json_array_get(faults, i - 1);
        if (lines->view->job != NULL && !doc_is(group, "job", lines->view->job))
            continue;
        draw_fault(lines, group);
        shown++;
    }
}

int view_draw(const struct view *view, struct buf *out)
{
    struct lines lines = {view, out, 0};
    struct buf text;
    int third = view->rows / 3;
    buf_init(&text, LIMIT_SPEC);
    draw_jobs(&lines, "running", 2 * third);
    if (view->job == NULL) {
        draw_jobs(&lines, "queued", 2 * third);
        draw_jobs(&lines, "paused", 2 * third);
        if (lines.n == 0) {
            buf_print(&text, "no jobs under way");
            line_end(&lines, DIM, &text);
        }
    }
    draw_agents(&lines, third);
    draw_faults(&lines);
    buf_free(&text);
    return lines.n;
}
