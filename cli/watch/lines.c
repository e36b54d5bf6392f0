/* SPDX-License-Identifier: Apache-2.0
 *
 * Lines of what `frameq watch` shows. Colours are put around whole lines, after
 * these are cut to the terminal's width.
 */
#include "cli/watch/lines.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/agent.h"
#include "cli/doc.h"
#include "cli/human.h"
#include "cli/job.h"
#include "common/fault.h"
#include "common/limits.h"

#define NAME_COLUMN 22
#define NAME_MOST   48
#define BAR_WIDTH   24
#define BAR_ROOM    70 /* columns below which there is no bar */
#define WIDE        80 /* columns past which half goes to the names */

void lines_end(struct lines *lines, enum colour colour, struct buf *text)
{
    const struct term *term = lines->term;
    struct buf cut;
    buf_init(&cut, LIMIT_SPEC);
    width_cut(buf_text(text), term->width > 1 ? term->width - 1 : 1000, term,
              &cut);
    if (lines->n < lines->room) {
        term_paint(term, colour, buf_text(&cut), lines->out);
        buf_print(lines->out, "\n");
        lines->n++;
    }
    buf_free(&cut);
    buf_clear(text);
}

void lines_text(struct lines *lines, enum colour colour, const char *format,
                ...)
{
    char bytes[LIMIT_REASON];
    struct buf text;
    va_list args;
    va_start(args, format);
    vsnprintf(bytes, sizeof bytes, format, args);
    va_end(args);
    buf_init(&text, LIMIT_SPEC);
    buf_print(&text, "%s", bytes);
    lines_end(lines, colour, &text);
    buf_free(&text);
}

/* A name is what people look for: a wide terminal shows more of it. */
static int name_column(const struct term *term)
{
    int more = term->width > WIDE ? (term->width - WIDE) / 2 : 0;
    return NAME_COLUMN + more < NAME_MOST ? NAME_COLUMN + more : NAME_MOST;
}

static void pad_to(struct buf *text, int used, int column)
{
    buf_print(text, "%*s", used < column ? column - used : 1, "");
}

void lines_job(struct lines *lines, const char *mark, bool bold,
               const json_t *job)
{
    char eta[HUMAN_SIZE];
    struct buf text;
    const struct term *term = lines->term;
    struct bar bar = job_bar(job);
    const char *state = doc_text(job, "state");
    const struct glyph *glyph = glyph_find(state);
    int room = name_column(term);
    buf_init(&text, LIMIT_SPEC);
    buf_print(&text, "%s%s ", mark, glyph_text(glyph, term));
    pad_to(&text, width_cut(job_label(job), room, term, &text), room + 1);
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
    human_left(job, eta);
    buf_print(&text, "%s%s", *eta != '\0' ? "  " : "", eta);
    lines_end(lines, bold ? BOLD : glyph->colour, &text);
    buf_free(&text);
}

void lines_agent(struct lines *lines, const char *mark, const json_t *agent)
{
    struct buf text;
    const struct term *term = lines->term;
    const char *state = agent_state(agent);
    const struct glyph *glyph = glyph_find(state);
    bool busy = json_array_size(json_object_get(agent, "leases")) > 0;
    int room = name_column(term);
    buf_init(&text, LIMIT_SPEC);
    buf_print(&text, "%s%s ", mark, glyph_text(glyph, term));
    pad_to(&text, width_cut(doc_text(agent, "name"), room, term, &text),
           room + 1);
    agent_tell_leases(agent, &text);
    if (!busy)
        buf_print(&text, "%s", strcmp(state, "up") == 0 ? "idle" : state);
    if (*doc_text(agent, "why") != '\0' && !doc_is(agent, "why", state))
        buf_print(&text, "%s%s", ": ", doc_text(agent, "why"));
    lines_end(lines, busy ? PLAIN : glyph->colour, &text);
    buf_free(&text);
}

void lines_fault(struct lines *lines, const json_t *group, bool of_one)
{
    struct buf text;
    int64_t failed = doc_int(group, "failed"), tries = doc_int(group, "tries");
    const char *name = doc_text(group, "name"), *id = doc_text(group, "job");
    buf_init(&text, LIMIT_SPEC);
    buf_print(&text, "%s ", glyph_text(glyph_find("failed"), lines->term));
    if (!of_one)
        buf_print(&text, "%s ", *name != '\0' ? name : id);
    buf_print(&text, "%lld x %s", (long long)(failed > tries ? failed : tries),
              doc_text(group, "fault"));
    if (doc_has(group, "agent"))
        buf_print(&text, " on %s", doc_text(group, "agent"));
    if (doc_has(group, "text"))
        buf_print(&text, ": %s", doc_text(group, "text"));
    lines_end(lines, RED, &text);
    if (failed > 0 && lines->hint != NULL) {
        buf_print(&text, "  again: frameq retry %.8s%s", id, lines->hint);
        lines_end(lines, PLAIN, &text);
    } else {
        buf_print(&text, "  %s",
                  fault_remedy(fault_find(doc_text(group, "fault"))));
        lines_end(lines, DIM, &text);
    }
    buf_free(&text);
}
