/* SPDX-License-Identifier: Apache-2.0
 *
 * One line of text for an event of the feed.
 */
#include "cli/watch/event.h"

#include <string.h>
#include <time.h>

#include "cli/doc.h"
#include "cli/human.h"
#include "common/limits.h"

bool event_is_of(const json_t *event, const char *job)
{
    return doc_is(event, "job", job);
}

static const char *label_of(const json_t *event)
{
    const char *name = doc_text(event, "name");
    return *name != '\0' ? name : doc_text(event, "job");
}

static void tell_fault(const json_t *event, struct buf *out)
{
    if (doc_has(event, "agent"))
        buf_print(out, " on %s", doc_text(event, "agent"));
    if (doc_has(event, "fault"))
        buf_print(out, ": %s", doc_text(event, "fault"));
    if (doc_has(event, "text"))
        buf_print(out, ": %s", doc_text(event, "text"));
}

static void tell_done(const json_t *event, struct buf *out)
{
    char seconds[HUMAN_SIZE];
    const json_t *files = json_object_get(event, "files");
    const char *path = doc_text(json_array_get(files, 0), "path");
    buf_print(out, " on %s", doc_text(event, "agent"));
    if (doc_real(event, "seconds") > 0)
        buf_print(out, " in %s",
                  human_seconds(doc_real(event, "seconds"), seconds));
    if (*path != '\0')
        buf_print(out, " -> %s", path);
}

static bool tell_frame(const json_t *event, struct buf *out)
{
    const char *state = doc_text(event, "state");
    bool lost = strcmp(state, "pending") == 0 && doc_has(event, "fault");
    buf_print(out, "%s ", label_of(event));
    if (doc_has(event, "frame"))
        buf_print(out, "#%lld ", (long long)doc_int(event, "frame"));
    else
        buf_print(out, "#%s ", doc_text(event, "frames"));
    buf_print(out, "%s",
              lost                            ? "lost an attempt"
              : strcmp(state, "pending") == 0 ? "to be rendered again"
                                              : state);
    if (strcmp(state, "done") == 0)
        tell_done(event, out);
    else
        tell_fault(event, out);
    return true;
}

static bool tell_job(const json_t *event, struct buf *out)
{
    const json_t *counts = json_object_get(event, "counts");
    const char *change = doc_text(event, "change");
    buf_print(out, "%s ", label_of(event));
    if (counts == NULL)
        buf_print(out, "%s", change);
    else if (strcmp(change, "submitted") == 0)
        buf_print(out, "submitted, %lld frames",
                  (long long)doc_int(counts, "total"));
    else
        buf_print(out, "%s, %lld of %lld frames done", doc_text(event, "state"),
                  (long long)doc_int(counts, "done"),
                  (long long)doc_int(counts, "total"));
    return true;
}

static bool tell_agent(const json_t *event, struct buf *out)
{
    if (doc_is(event, "change", "changed"))
        return false;
    const char *why = doc_text(event, "why");
    const char *change = doc_text(event, "change");
    if (strcmp(change, "drained") == 0 && doc_is(event, "drain", "off"))
        change = "no longer drained";
    buf_print(out, "agent %s %s", doc_text(event, "name"), change);
    if (*why != '\0' && strcmp(why, change) != 0)
        buf_print(out, ": %s", why);
    return true;
}

static const struct {
    const char *type;
    const char *state; /* the member whose glyph begins the line */
    bool (*tell)(const json_t *event, struct buf *out);
} tellers[] = {
    {"frame", "state", tell_frame},
    {"job", "state", tell_job},
    {"agent", "change", tell_agent},
};

static void tell_time(const json_t *event, struct buf *out)
{
    char text[16];
    int64_t ms = doc_time(event, "time");
    time_t seconds = (time_t)(ms / 1000);
    struct tm local;
    if (ms < 0 || localtime_r(&seconds, &local) == NULL)
        return;
    strftime(text, sizeof text, "%H:%M:%S", &local);
    buf_print(out, "%s ", text);
}

static bool tell_as(size_t i, const json_t *event, const struct term *term,
                    struct buf *out)
{
    struct buf words;
    const struct glyph *glyph = glyph_find(doc_text(event, tellers[i].state));
    buf_init(&words, LIMIT_SPEC);
    bool told = tellers[i].tell(event, &words);
    if (told) {
        tell_time(event, out);
        term_paint(term, glyph->colour, glyph_text(glyph, term), out);
        buf_print(out, " %s\n", buf_text(&words));
    }
    buf_free(&words);
    return told;
}

bool event_tell(const json_t *event, const struct term *term, struct buf *out)
{
    for (size_t i = 0; i < sizeof tellers / sizeof *tellers; i++)
        if (doc_is(event, "type", tellers[i].type))
            return tell_as(i, event, term, out);
    return false;
}
