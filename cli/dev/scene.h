/* SPDX-License-Identifier: Apache-2.0
 *
 * The sample scene of `frameq dev`: made once by Blender itself, from the
 * script that comes with frameq, and kept in the user's cache folder.
 */
#ifndef FRAMEQ_CLI_DEV_SCENE_H
#define FRAMEQ_CLI_DEV_SCENE_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/dev/child.h"

/* scene_path writes where the sample scene is, or is to be. Returns false, and
 * says why on stderr, when there is no script to make it or no place for it. */
bool scene_path(char *ret, size_t size);

/* scene_make has blender make it at path, where it is not there already, and
 * says so on stderr. log: where Blender's words go. Returns CHILD_READY_LINE
 * when it is there, CHILD_STOP when a signal came, else CHILD_OVER, having said
 * why. */
enum child_news scene_make(struct children *children, const char *blender,
                           const char *path, const char *log);

#endif
