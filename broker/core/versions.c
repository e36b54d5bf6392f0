/* SPDX-License-Identifier: Apache-2.0
 *
 * Which versions of its .blend a job's frames were rendered from, as nodes tell
 * it with the frames' files: a list in JSON, that nothing else of the core
 * looks into. In a quoted text of it a quote has a backslash before it, so the
 * member cannot be mistaken.
 */
#include "broker/core/core_internal.h"

#include <string.h>

#define DIGITS 64 /* of a SHA-256 */

static const char hex[] = "0123456789abcdef";

static bool is_full(const struct agent_name *versions)
{
    int n = 0;
    for (; versions; versions = versions->next)
        n++;
    return n >= LIMIT_VERSIONS;
}

static void add(struct job *job, const char *digits)
{
    char name[DIGITS + 1];
    memcpy(name, digits, DIGITS);
    name[DIGITS] = '\0';
    if (strspn(name, hex) == DIGITS && !is_full(job->versions))
        names_add(&job->versions, name);
}

void versions_note(struct job *job, const char *files)
{
    static const char member[] = "\"blend_sha256\":\"";
    const char *at = files ? strstr(files, member) : NULL;
    if (at && strnlen(at + strlen(member), DIGITS) == DIGITS)
        add(job, at + strlen(member));
}

const char *versions_text(const struct job *job, struct arena *arena)
{
    char *text = arena_new(arena, VERSIONS_TEXT + 1), *at = text;
    const struct agent_name *version;
    for (version = job->versions; version; version = version->next) {
        memcpy(at, version->name, DIGITS);
        at[DIGITS] = ' ';
        at += DIGITS + 1;
    }
    *at = '\0';
    return text;
}

void versions_take(struct job *job, const char *text)
{
    names_free(&job->versions);
    for (; strnlen(text, DIGITS + 1) == DIGITS + 1; text += DIGITS + 1)
        add(job, text);
}
