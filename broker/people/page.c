/* SPDX-License-Identifier: Apache-2.0
 *
 * The assembler takes the files in as they are, found from the root of the
 * source tree or in the folder the page was bundled into.
 */
#include "broker/people/page.h"

#include <stddef.h>
#include <string.h>

#define EMBED(name, file)                                                      \
    __asm__(".pushsection .rodata\n"                                           \
            ".global page_" #name "\n"                                         \
            ".global page_" #name "_end\n"                                     \
            "page_" #name ":\n"                                                \
            ".incbin \"" file "\"\n"                                           \
            "page_" #name "_end:\n"                                            \
            ".byte 0\n"                                                        \
            ".popsection\n");                                                  \
    extern const char page_##name[], page_##name##_end[]

/* As members of struct page. */
#define PLAIN(name) page_##name, page_##name##_end, NULL, NULL
#define ZIPPED(name)                                                           \
    page_##name, page_##name##_end, page_##name##_gz, page_##name##_gz_end

#ifdef FRAMEQ_WEB
EMBED(index, "index.html");
EMBED(index_gz, "index.html.gz");
EMBED(script, "app.js");
EMBED(script_gz, "app.js.gz");
EMBED(style, "app.css");
EMBED(style_gz, "app.css.gz");
#define VIEW ZIPPED(index)
#else
EMBED(without, "broker/people/page/without.html");
#define VIEW PLAIN(without)
#endif
EMBED(icon, "broker/people/page/favicon.svg");
EMBED(openapi, "broker/people/openapi.yaml");

static const struct page pages[] = {
#ifdef FRAMEQ_WEB
    {"/app.js", "text/javascript; charset=utf-8", ZIPPED(script)},
    {"/app.css", "text/css; charset=utf-8", ZIPPED(style)},
#endif
    {"/favicon.svg", "image/svg+xml", PLAIN(icon)},
    {"/v1/openapi.yaml", "application/yaml", PLAIN(openapi)},
};

/* Every view of the page: which one, its script reads from the address. */
static const struct page view = {"/", "text/html; charset=utf-8", VIEW};

const struct page *page_find(const char *path)
{
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(pages[i].path, path) == 0)
            return &pages[i];
    return NULL;
}

const struct page *page_view(void)
{
    return &view;
}
