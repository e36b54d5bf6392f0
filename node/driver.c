/* SPDX-License-Identifier: Apache-2.0
 *
 * Written anew into each work folder: that is where a sandboxed Blender can
 * read it, and no installation path has to be right.
 */
#include "node/driver.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

bool driver_write(const char *folder, char *ret, size_t size)
{
    const int n = snprintf(ret, size, "%s/driver.py", folder);
    if (n < 0 || (size_t)n >= size) {
        errno = ENAMETOOLONG;
        return false;
    }
    const int fd = open(ret, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return false;
    const ssize_t written = write(fd, driver_py, driver_py_len);
    const int reason = written < 0 ? errno : ENOSPC;
    const bool whole = close(fd) == 0 && written == (ssize_t)driver_py_len;
    if (!whole)
        errno = reason;
    return whole;
}
