/* SPDX-License-Identifier: Apache-2.0
 *
 * Plain calls on DIR/lock and DIR/ballast. The lock is the kernel's (flock):
 * it ends with its holder, however that ends, and never has to be broken.
 */
#include "broker/ledger/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"

/* --- The lock. --- */

static int open_in(const char *dir, const char *name, int flags)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", dir, name);
    if (n < 0 || (size_t)n >= sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, flags | O_CLOEXEC, 0600);
}

/* The holder's process id as it wrote it, for people; 0 when it did not. */
static long read_holder(int fd)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? strtol(text, NULL, 10) : 0;
}

static void write_holder(int fd)
{
    if (ftruncate(fd, 0) == 0)
        (void)dprintf(fd, "%ld\n", (long)getpid());
}

static bool refuse(int fd, const char *dir, char *why, size_t size)
{
    int error = errno;
    if (fd >= 0 && error == EWOULDBLOCK)
        snprintf(why, size, "%s is in use by another broker (process %ld)", dir,
                 read_holder(fd));
    else
        snprintf(why, size, "%s/lock: %s", dir, strerror(error));
    if (fd >= 0)
        close(fd);
    return false;
}

/* --- The room. --- */

static bool is_whole(int fd)
{
    struct stat file;
    return fstat(fd, &file) == 0 && file.st_size == LIMIT_BALLAST &&
           file.st_blocks >= LIMIT_BALLAST / 512;
}

static void remove_ballast(const struct disk *disk)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/ballast", disk->dir);
    unlink(path);
}

bool disk_load(struct disk *disk)
{
    if (disk->ballast)
        return true;
    int fd = open_in(disk->dir, "ballast", O_RDWR | O_CREAT);
    if (fd < 0)
        return false;
    disk->ballast = is_whole(fd) || posix_fallocate(fd, 0, LIMIT_BALLAST) == 0;
    close(fd);
    if (!disk->ballast)
        remove_ballast(disk);
    return disk->ballast;
}

bool disk_drop(struct disk *disk)
{
    if (!disk->ballast)
        return false;
    remove_ballast(disk);
    disk->ballast = false;
    return true;
}

bool disk_roomy(const struct disk *disk)
{
    struct statvfs fs;
    if (statvfs(disk->dir, &fs) != 0)
        return true;
    unsigned long long free_bytes =
        (unsigned long long)fs.f_bavail * fs.f_frsize;
    unsigned long long wanted = LIMIT_DISK_LOW;
    if (!disk->ballast)
        wanted += LIMIT_BALLAST;
    return free_bytes >= wanted;
}

/* --- Both. --- */

bool disk_open(struct disk *disk, const char *dir, char *why, size_t size)
{
    int fd = open_in(dir, "lock", O_RDWR | O_CREAT);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0)
        return refuse(fd, dir, why, size);
    write_holder(fd);
    *disk = (struct disk){.dir = mem_text(dir), .lock_fd = fd};
    int ballast = open_in(dir, "ballast", O_RDONLY);
    disk->ballast = ballast >= 0 && is_whole(ballast);
    if (ballast >= 0)
        close(ballast);
    return true;
}

bool disk_look(struct disk *disk, const char *dir, char *why, size_t size)
{
    int fd = open_in(dir, "lock", O_RDONLY);
    bool free_to_take = fd < 0 && errno == ENOENT;
    if (!free_to_take && (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0))
        return refuse(fd, dir, why, size);
    *disk = (struct disk){.dir = mem_text(dir), .lock_fd = fd};
    return true;
}

void disk_close(struct disk *disk)
{
    if (disk->lock_fd >= 0)
        close(disk->lock_fd);
    mem_free(disk->dir);
}
