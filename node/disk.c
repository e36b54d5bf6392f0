/* SPDX-License-Identifier: Apache-2.0
 *
 * statvfs in bytes.
 */
#include "node/disk.h"

#include <sys/statvfs.h>

#include "common/limits.h"

uint64_t disk_free(const char *path)
{
    struct statvfs st;
    if (statvfs(path, &st) < 0)
        return UINT64_MAX;
    return (uint64_t)st.f_bavail * st.f_frsize;
}

bool disk_is_full(const char *path)
{
    return disk_free(path) < LIMIT_DISK_FREE;
}
