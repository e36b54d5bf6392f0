/* SPDX-License-Identifier: Apache-2.0
 *
 * Blender behind bubblewrap: it sees the file system read-only, may write its
 * work folder alone, has no network and no view of other processes. Hides no
 * file that the node's user may read, since a scene's textures may lie
 * anywhere.
 */
#ifndef FRAMEQ_NODE_SANDBOX_H
#define FRAMEQ_NODE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

enum { SANDBOX_ARGS = 96 };

struct sandbox {
    char *bwrap; /* path of the program */
};

/* sandbox_open finds bubblewrap and tries it once. Returns it, owned, or NULL
 * with the reason in why. */
struct sandbox *sandbox_open(char *why, size_t size);
void sandbox_close(struct sandbox **sandbox);

/* sandbox_args writes the words that go before a command line into argv, which
 * has room for SANDBOX_ARGS, and returns how many. writable: the folders that
 * may be written, two at most, then NULL. The words borrow from sandbox and
 * writable. */
size_t sandbox_args(const struct sandbox *sandbox, const char *const *writable,
                    const char **argv);

#endif
