/* SPDX-License-Identifier: Apache-2.0
 *
 * Gives a proven file its final name. The first whole file of a name stays: a
 * later one is thrown away, unless it is meant to replace. A file that is
 * there but broken, or of another size, is replaced.
 */
#ifndef FRAMEQ_NODE_PLACE_H
#define FRAMEQ_NODE_PLACE_H

#include <stdbool.h>

#include "common/picture/picture.h"

/* place_file moves the file `from`, which was proven as *picture, to `to` on
 * the same file system, making folders as needed, and waits until both file
 * and name are on disk. When an earlier whole file keeps the name, *picture
 * gets that one's bytes and hash, and *ret_kept is set. Returns 0 or an errno.
 */
int place_file(const char *from, const char *to, bool replace,
               struct picture *picture, bool *ret_kept);

#endif
