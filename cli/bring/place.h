/* SPDX-License-Identifier: Apache-2.0
 *
 * A file that this program makes: there when it is whole and on disk, or not
 * at all, and in the place of no other. One at a time; what goes wrong ends
 * the program with exit 1.
 */
#ifndef FRAMEQ_CLI_BRING_PLACE_H
#define FRAMEQ_CLI_BRING_PLACE_H

/* place_open returns a descriptor to write to, of a file beside path that is
 * gone after Ctrl-C. path must not exist, and outlives the place. */
int place_open(const char *path);

/* place_keep gives the file its name and closes it. */
void place_keep(int fd);

/* place_drop removes it. */
void place_drop(void);

#endif
