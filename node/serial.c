/* SPDX-License-Identifier: Apache-2.0
 *
 * The file holds the first number that nobody has taken. It is written through
 * to the disk before any of a block is used.
 */
#include "node/serial.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { BLOCK = 100 };

static bool file_write(int fd, int64_t value)
{
    char text[32];
    const int n = snprintf(text, sizeof text, "%lld\n", (long long)value);
    return pwrite(fd, text, (size_t)n, 0) == n;
}

static bool block_take(struct serial *serial, int fd)
{
    char text[32] = "";
    flock(fd, LOCK_EX); /* where there are locks */
    if (pread(fd, text, sizeof text - 1, 0) < 0)
        return false;
    const int64_t first = strtoll(text, NULL, 10);
    serial->next = first > 0 ? first : 1;
    serial->end = serial->next + BLOCK;
    return file_write(fd, serial->end);
}

int64_t serial_next(struct serial *serial, const char *root)
{
    if (serial->next < serial->end)
        return serial->next++;
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/serial", root);
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_DSYNC, 0666);
    if (fd < 0)
        return -1;
    const bool taken = block_take(serial, fd);
    const int reason = errno;
    close(fd);
    if (taken)
        return serial->next++;
    *serial = (struct serial){0};
    errno = reason;
    return -1;
}
