/* SPDX-License-Identifier: Apache-2.0
 *
 * Finds programs the way a shell does.
 */
#ifndef FRAMEQ_NODE_WHICH_H
#define FRAMEQ_NODE_WHICH_H

/* which_find returns the path, owned, of an executable file: name itself when
 * it has a slash, else the first of that name on PATH. NULL: none. */
char *which_find(const char *name);

#endif
