/* SPDX-License-Identifier: Apache-2.0
 *
 * One launch of Blender that opens a .blend in the background, with factory
 * settings and its scripts off, and tells what it finds (scan.py).
 */
#ifndef FRAMEQ_CLI_SEND_SCAN_H
#define FRAMEQ_CLI_SEND_SCAN_H

#include <jansson.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/run.h"

struct scan {
    const char *blend;   /* a real path */
    const char *blender; /* a path, or a name looked for in PATH */
    bool check;          /* also what a node would object to */
    char folder[PATH_MAX];
};

/* scan_run makes scan->folder and has Blender tell. RUN_WELL: ret is what it
 * told, owned. Else it is NULL, and why says for people what stood in the way;
 * RUN_FAILED: in Blender's own words. Ends the program when there is no room
 * for the folder. scan_done removes it, which the program's end does too; one
 * scan at a time. */
enum run scan_run(struct scan *scan, json_t **ret, char *why, size_t size);
void scan_done(const char *folder);

/* scan_path writes the path of a file in the folder; ret has PATH_MAX bytes. */
void scan_path(const struct scan *scan, const char *name, char *ret);

#define SCAN_FIXED "fixed.blend" /* the copy that scan.py may have made */

#endif
