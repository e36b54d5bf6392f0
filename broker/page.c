/* SPDX-License-Identifier: Apache-2.0
 *
 * The assembler takes the files in as they are; like headers they are named
 * from the root of the source tree.
 */
#include "broker/page.h"

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

EMBED(index, "broker/page/index.html");
EMBED(script, "broker/page/app.js");
EMBED(style, "broker/page/app.css");
EMBED(icon, "broker/page/favicon.svg");
EMBED(openapi, "broker/openapi.yaml");

static const struct page pages[] = {
    {"/", "text/html; charset=utf-8", page_index, page_index_end},
    {"/app.js", "text/javascript; charset=utf-8", page_script, page_script_end},
    {"/app.css", "text/css; charset=utf-8", page_style, page_style_end},
    {"/favicon.svg", "image/svg+xml", page_icon, page_icon_end},
    {"/v1/openapi.yaml", "application/yaml", page_openapi, page_openapi_end},
};

const struct page *page_find(const char *path)
{
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++)
        if (strcmp(pages[i].path, path) == 0)
            return &pages[i];
    return NULL;
}
