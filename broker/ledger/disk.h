/* SPDX-License-Identifier: Apache-2.0
 *
 * The folder of the ledger and the room on its disk: who holds it, how much is
 * free, and the ballast, a file whose only use is to be given up when the disk
 * is full, so that what is under way can still be written.
 */
#ifndef FRAMEQ_BROKER_LEDGER_DISK_H
#define FRAMEQ_BROKER_LEDGER_DISK_H

#include <stdbool.h>
#include <stddef.h>

struct disk {
    char *dir;
    int lock_fd;  /* holds the folder while open; -1: not */
    bool ballast; /* is there */
};

/* disk_open takes a folder for this process. False with the reason in why,
 * which names the holder, when it has one. */
bool disk_open(struct disk *disk, const char *dir, char *why, size_t size);

/* disk_look does so without writing anything: where no broker ever was there is
 * nothing to take. Only disk_close is for such a disk. */
bool disk_look(struct disk *disk, const char *dir, char *why, size_t size);

/* disk_close gives the folder back; the ballast stays for the next time. */
void disk_close(struct disk *disk);

/* disk_load makes the ballast unless it is there; returns whether it is. */
bool disk_load(struct disk *disk);

/* disk_drop gives the ballast up; returns whether there was any. */
bool disk_drop(struct disk *disk);

/* disk_roomy tells whether LIMIT_DISK_LOW bytes are free, and as many more as
 * a missing ballast needs. A disk that does not say is roomy. */
bool disk_roomy(const struct disk *disk);

#endif
