/* SPDX-License-Identifier: Apache-2.0
 *
 * The files a .blend needs to render on another machine, found by Blender
 * itself, and where they belong beside one another.
 */
#ifndef FRAMEQ_CLI_SEND_GATHER_H
#define FRAMEQ_CLI_SEND_GATHER_H

#include <stddef.h>

#include "common/app/manifest.h"

struct gathered {
    char **sources;           /* where each file of the manifest lies; owned */
    struct manifest manifest; /* paths and sizes; names not yet */
    char *folder;             /* of what was made for it; NULL: none */
};

/* gather finds them with the Blender named, the .blend (a real path) first.
 * Ends the program when Blender cannot, or when files are missing and allow is
 * false. gathered_done releases all, and removes what was made. */
void gather(const char *blend, const char *blender, bool allow,
            struct gathered *ret);
void gathered_done(struct gathered *gathered);

/* gather_root returns the length of the longest folder ("/a/b/", with its
 * slash) that all n absolute paths lie in. Pure. */
size_t gather_root(char *const *paths, size_t n);

#endif
