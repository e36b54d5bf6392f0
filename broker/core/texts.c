/* SPDX-License-Identifier: Apache-2.0
 *
 * Texts, lists of texts and lists of names that the core owns.
 */
#include "broker/core/core_internal.h"

#include <string.h>

#include "common/mem.h"

char *text_own(const char *text)
{
    return mem_text(text ? text : "");
}

void text_set(const char **own, const char *text)
{
    if (*own && strcmp(*own, text ? text : "") == 0)
        return;
    mem_free((void *)(uintptr_t)*own);
    *own = text_own(text);
}

char **texts_own(const char *const *texts, size_t n)
{
    char **copy = mem_new(n * sizeof *copy);
    for (size_t i = 0; i < n; i++)
        copy[i] = mem_text(texts[i]);
    return copy;
}

void texts_free(char **texts, size_t n)
{
    for (size_t i = 0; i < n; i++)
        mem_free(texts[i]);
    mem_free(texts);
}

bool names_have(const struct agent_name *names, const char *name)
{
    for (; names; names = names->next)
        if (strcmp(names->name, name) == 0)
            return true;
    return false;
}

void names_add(struct agent_name **names, const char *name)
{
    if (names_have(*names, name))
        return;
    struct agent_name *entry = mem_new(sizeof *entry);
    entry->name = mem_text(name);
    LL_APPEND(*names, entry);
}

void names_remove(struct agent_name **names, const char *name)
{
    struct agent_name *entry, *next;
    LL_FOREACH_SAFE (*names, entry, next) {
        if (strcmp(entry->name, name) != 0)
            continue;
        LL_DELETE(*names, entry);
        mem_free(entry->name);
        mem_free(entry);
    }
}

void names_free(struct agent_name **names)
{
    struct agent_name *entry, *next;
    LL_FOREACH_SAFE (*names, entry, next) {
        mem_free(entry->name);
        mem_free(entry);
    }
    *names = NULL;
}
