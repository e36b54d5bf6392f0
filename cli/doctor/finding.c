/* SPDX-License-Identifier: Apache-2.0
 *
 * What frameq doctor found.
 */
#include "cli/doctor/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <utlist.h>

#include "common/limits.h"
#include "common/mem.h"

static const char *const words[] = {
#define FINDING(name, word) [FINDING_##name] = (word),
#include "cli/doctor/finding.def"
#undef FINDING
};

void findings_init(struct findings *findings)
{
    *findings = (struct findings){0};
    buf_init(&findings->well, LIMIT_SPEC);
}

void findings_done(struct findings *findings)
{
    struct finding *finding, *next;
    LL_FOREACH_SAFE (findings->first, finding, next) {
        buf_free(&finding->what);
        buf_free(&finding->mend);
        mem_free(finding);
    }
    buf_free(&findings->well);
}

struct finding *finding_note(struct findings *findings, enum finding_kind kind)
{
    struct finding *finding = mem_new(sizeof *finding);
    finding->kind = kind;
    finding->note = true;
    finding->order = findings->n++;
    buf_init(&finding->what, LIMIT_SPEC);
    buf_init(&finding->mend, LIMIT_SPEC);
    LL_PREPEND(findings->first, finding);
    return finding;
}

struct finding *finding_add(struct findings *findings, enum finding_kind kind)
{
    struct finding *finding = finding_note(findings, kind);
    finding->note = false;
    findings->faults++;
    return finding;
}

void findings_well(struct findings *findings, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_print(&findings->well, "%s%s", findings->well.len > 0 ? ", " : "",
              text);
}

/* Faults before notes, the worst first, then as they were found. */
static int compare(const struct finding *a, const struct finding *b)
{
    if (a->note != b->note)
        return a->note ? 1 : -1;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->order < b->order ? -1 : 1;
}

void findings_write(struct findings *findings, const struct term *term,
                    struct buf *out)
{
    const struct glyph *bad = glyph_find("failed"), *good = glyph_find("done");
    const struct glyph *note = glyph_find("waiting");
    const struct finding *finding;
    LL_SORT(findings->first, compare);
    LL_FOREACH (findings->first, finding) {
        const struct glyph *glyph = finding->note ? note : bad;
        term_paint(term, glyph->colour, glyph_text(glyph, term), out);
        buf_print(out, " %s\n  %s\n", buf_text(&finding->what),
                  buf_text(&finding->mend));
    }
    if (findings->well.len == 0)
        return;
    term_paint(term, good->colour, glyph_text(good, term), out);
    buf_print(out, " ok: %s\n", buf_text(&findings->well));
}

json_t *findings_json(struct findings *findings)
{
    json_t *list = json_array();
    const struct finding *finding;
    LL_SORT(findings->first, compare);
    LL_FOREACH (findings->first, finding)
        json_array_append_new(list, json_pack("{s:s,s:b,s:s,s:s}", "check",
                                              words[finding->kind], "fault",
                                              !finding->note, "what",
                                              buf_text(&finding->what), "do",
                                              buf_text(&finding->mend)));
    return json_pack("{s:b,s:o,s:s}", "well", findings->faults == 0, "findings",
                     list, "ok", buf_text(&findings->well));
}
