/* SPDX-License-Identifier: Apache-2.0
 *
 * A job's pictures into a folder here, under the names the nodes gave them.
 * What is there already is not fetched again.
 */
#ifndef FRAMEQ_CLI_BRING_FETCH_H
#define FRAMEQ_CLI_BRING_FETCH_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/cli.h"

/* What became of the files. */
struct fetched {
    size_t fetched, there, failed;
    int64_t bytes;
    size_t asked; /* of failed: an agent has been asked to send it */
    size_t gone;  /* of failed: its agent has it no more */
    bool quiet;   /* inside: which ones failed is not said yet */
};

/* fetch_job fetches what there is of a job's done frames (job: its id), waits
 * for pictures that an agent is asked to send while they keep coming, and says
 * on stderr what is not to be had. Ends the program when the broker or
 * the disk does not do its part. */
void fetch_job(const struct cli *cli, const char *job, const char *dir,
               struct fetched *ret);

/* fetch_ended does so for a job that has ended, and waits for the files that
 * its agents have not sent yet, until none comes for a minute. */
void fetch_ended(const struct cli *cli, const char *job, const char *dir,
                 struct fetched *ret);

/* fetch_tell writes one line of it. */
void fetch_tell(FILE *out, const char *dir, const struct fetched *fetched);

#endif
