/* SPDX-License-Identifier: Apache-2.0
 *
 * Sends files to the broker by their SHA-256: only those it lacks, in pieces,
 * and going on where an earlier try ended, be it of this program or of one that
 * was killed.
 */
#ifndef FRAMEQ_CLI_SEND_UPLOAD_H
#define FRAMEQ_CLI_SEND_UPLOAD_H

#include "cli/cli.h"
#include "cli/send/gather.h"

/* upload_hash fills in the names of all files, reading those that no earlier
 * submit has read as they are (hashes.h), upload_hash_one writes that of one;
 * upload_send sends what is
 * missing. Both show on stderr how far they are, and end the program when they
 * cannot. */
void upload_hash(struct gathered *gathered);
void upload_hash_one(const char *path, char ret[BLOB_NAME + 1]);
void upload_send(const struct cli *cli, const struct gathered *gathered);

#endif
