/* SPDX-License-Identifier: Apache-2.0
 *
 * Files that belong to this program, found from where its own file lies.
 */
#ifndef FRAMEQ_CLI_BESIDE_H
#define FRAMEQ_CLI_BESIDE_H

#include <stddef.h>

/* beside_path writes the path of `name` as seen from the folder of this
 * program's file, and returns ret. */
char *beside_path(const char *name, char *ret, size_t size);

/* beside_program writes the path of another program of frameq, which lies in
 * the same folder; where it does not, its bare name, for PATH. */
char *beside_program(const char *name, char *ret, size_t size);

/* beside_self writes how a person can call this program from any folder:
 * "frameq" when PATH leads to it, else its quoted path. */
char *beside_self(char *ret, size_t size);

#endif
