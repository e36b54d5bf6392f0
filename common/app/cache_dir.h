/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of this user for what a program can always make again.
 */
#ifndef FRAMEQ_COMMON_APP_CACHE_DIR_H
#define FRAMEQ_COMMON_APP_CACHE_DIR_H

#include <stdbool.h>
#include <stddef.h>

/* cache_dir_open writes the path of the folder name ("" for the one above)
 * below $XDG_CACHE_HOME/frameq, else $HOME/.cache/frameq, else
 * /tmp/frameq-<uid>, and makes it. Returns false with errno: EPERM where
 * another user owns it or may write in it, ENAMETOOLONG where ret is too
 * small, else what making it gave. */
bool cache_dir_open(const char *name, char *ret, size_t size);

#endif
