/* SPDX-License-Identifier: Apache-2.0
 *
 * One answer of the broker into one new file here, with progress on a terminal.
 */
#ifndef FRAMEQ_CLI_BRING_DOWNLOAD_H
#define FRAMEQ_CLI_BRING_DOWNLOAD_H

struct cli;

struct download {
    const char *path;    /* of the request */
    const char *type;    /* of content that is wanted; NULL: any */
    const char *file;    /* where it goes */
    const char *waiting; /* shown until its size is known; NULL: nothing */
};

/* download_to_file gets it and says on stdout, as JSON with --json, what came.
 * Ends the program with a reason where it cannot; the file has its name only
 * when all of it is in. */
void download_to_file(const struct cli *cli, const struct download *download);

#endif
