/* SPDX-License-Identifier: Apache-2.0
 *
 * A disk that fails on order: a VFS between SQLite and the file system. It
 * counts what is done and fails what it is told to, and it remembers each file
 * as of its last sync, so that a power cut can be played: what was not synced
 * is gone, or some of its sectors are. Real syncs are left out, nobody pulls
 * the plug here.
 */
#ifndef FRAMEQ_TESTS_UNIT_FAULT_VFS_H
#define FRAMEQ_TESTS_UNIT_FAULT_VFS_H

#include <fcntl.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum fault_kind {
    FAULT_OFF,
    FAULT_NO_ROOM, /* the n-th write finds the disk full, once */
    FAULT_ERROR,   /* the n-th write or sync fails, once; a write in half */
    FAULT_ANY,     /* so, and opening, reading, truncating, deleting as well */
    FAULT_POWER,   /* from the n-th on all fail, and what was not synced is
                      lost when fault_vfs_power_cut is called */
    FAULT_FULL,    /* no write finds room */
    FAULT_FULL_BALLAST, /* none does while `ballast` is there */
    FAULT_HOLD /* a write to the file that `hold` ends the name of lasts
                  until a byte comes through `hold_fd` */
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    _Atomic enum fault_kind kind;
    atomic_long countdown; /* operations until n */
    atomic_long failed;    /* how many have */
    int told_fd;           /* eventfd, written at each failure; -1 none */
    int hold_fd;
    const char *hold; /* "": of any file */
    char ballast[128];
} fault_vfs = {.told_fd = -1, .hold = ""};

struct fault_file {
    sqlite3_file base;
    char path[128];
    sqlite3_file *real;
};

static inline struct fault_file *fault_file(sqlite3_file *file)
{
    return (struct fault_file *)file;
}

/* --- Copies as of the last sync. --- */

static inline void fault_copy(const char *from, const char *to)
{
    static _Thread_local char bytes[65536];
    int in = open(from, O_RDONLY), out = -1;
    if (in >= 0)
        out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ssize_t n = 0;
    while (out >= 0 && (n = read(in, bytes, sizeof bytes)) > 0)
        if (write(out, bytes, (size_t)n) != n)
            abort();
    close(in);
    close(out);
}

static inline void fault_synced_path(const char *path, char ret[160])
{
    snprintf(ret, 160, "%s.synced", path);
}

/* Of what was written since the last sync some sectors are on the disk, others
 * not, as the dice fall: its controller keeps no order. */
static inline void fault_vfs_power_tear(const char *path,
                                        unsigned short dice[3])
{
    char synced[160], sector[512];
    fault_synced_path(path, synced);
    int now = open(path, O_RDWR), then = open(synced, O_RDONLY);
    off_t size = now < 0 ? 0 : lseek(now, 0, SEEK_END);
    for (off_t at = 0; at < size; at += (off_t)sizeof sector) {
        if (nrand48(dice) % 2 == 0)
            continue;
        memset(sector, 0, sizeof sector);
        if (then >= 0 && pread(then, sector, sizeof sector, at) < 0)
            abort();
        size_t n = size - at < (off_t)sizeof sector ? (size_t)(size - at)
                                                    : sizeof sector;
        if (pwrite(now, sector, n, at) != (ssize_t)n)
            abort();
    }
    close(now);
    close(then);
}

/* The file is as it was at its last sync, or is not there. */
static inline void fault_vfs_power_cut(const char *path)
{
    char synced[160];
    fault_synced_path(path, synced);
    unlink(path);
    fault_copy(synced, path);
}

/* --- Failing. --- */

static inline bool fault_tell(void)
{
    atomic_fetch_add(&fault_vfs.failed, 1);
    if (fault_vfs.told_fd >= 0) {
        uint64_t one = 1;
        if (write(fault_vfs.told_fd, &one, sizeof one) < 0)
            abort();
    }
    return true;
}

static inline void fault_hold(void)
{
    char byte;
    if (read(fault_vfs.hold_fd, &byte, 1) != 1)
        abort();
    atomic_store(&fault_vfs.kind, FAULT_OFF);
}

static inline bool fault_held(const char *path)
{
    size_t len = strlen(path), tail = strlen(fault_vfs.hold);
    return len >= tail && strcmp(path + len - tail, fault_vfs.hold) == 0;
}

enum fault_act { FAULT_WRITE, FAULT_SYNC, FAULT_ELSE };

static inline bool fault_counts(enum fault_kind kind, enum fault_act act)
{
    if (kind == FAULT_OFF || kind == FAULT_HOLD)
        return false;
    if (act == FAULT_SYNC)
        return kind == FAULT_ERROR || kind == FAULT_ANY || kind == FAULT_POWER;
    return act == FAULT_WRITE || kind == FAULT_ANY;
}

static inline bool fault_due(enum fault_act act)
{
    enum fault_kind kind = atomic_load(&fault_vfs.kind);
    if (!fault_counts(kind, act))
        return false;
    if (kind == FAULT_FULL)
        return fault_tell();
    if (kind == FAULT_FULL_BALLAST)
        return access(fault_vfs.ballast, F_OK) == 0 && fault_tell();
    long left = atomic_fetch_sub(&fault_vfs.countdown, 1);
    bool due = kind == FAULT_POWER ? left <= 1 : left == 1;
    return due && fault_tell();
}

static inline int fault_write(sqlite3_file *file, const void *bytes, int n,
                              sqlite3_int64 at)
{
    sqlite3_file *real = fault_file(file)->real;
    if (atomic_load(&fault_vfs.kind) == FAULT_HOLD &&
        fault_held(fault_file(file)->path))
        fault_hold();
    if (!fault_due(FAULT_WRITE))
        return real->pMethods->xWrite(real, bytes, n, at);
    enum fault_kind kind = atomic_load(&fault_vfs.kind);
    if (kind != FAULT_ERROR && kind != FAULT_ANY && kind != FAULT_POWER)
        return SQLITE_FULL;
    (void)real->pMethods->xWrite(real, bytes, n / 2, at);
    return SQLITE_IOERR_WRITE;
}

static inline int fault_sync(sqlite3_file *file, int flags)
{
    (void)flags;
    if (fault_due(FAULT_SYNC))
        return SQLITE_IOERR_FSYNC;
    char synced[160];
    fault_synced_path(fault_file(file)->path, synced);
    if (atomic_load(&fault_vfs.kind) == FAULT_POWER)
        fault_copy(fault_file(file)->path, synced);
    return SQLITE_OK;
}

/* --- Passing on. --- */

static inline int fault_close(sqlite3_file *file)
{
    sqlite3_file *real = fault_file(file)->real;
    return real->pMethods->xClose(real);
}

static inline int fault_read(sqlite3_file *file, void *to, int n,
                             sqlite3_int64 at)
{
    sqlite3_file *real = fault_file(file)->real;
    if (fault_due(FAULT_ELSE))
        return SQLITE_IOERR_READ;
    return real->pMethods->xRead(real, to, n, at);
}

static inline int fault_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    sqlite3_file *real = fault_file(file)->real;
    if (fault_due(FAULT_ELSE))
        return SQLITE_IOERR_TRUNCATE;
    return real->pMethods->xTruncate(real, size);
}

static inline int fault_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    sqlite3_file *real = fault_file(file)->real;
    return real->pMethods->xFileSize(real, ret);
}

static inline int fault_lock(sqlite3_file *file, int level)
{
    sqlite3_file *real = fault_file(file)->real;
    return real->pMethods->xLock(real, level);
}

static inline int fault_unlock(sqlite3_file *file, int level)
{
    sqlite3_file *real = fault_file(file)->real;
    return real->pMethods->xUnlock(real, level);
}

static inline int fault_check_lock(sqlite3_file *file, int *ret)
{
    sqlite3_file *real = fault_file(file)->real;
    return real->pMethods->xCheckReservedLock(real, ret);
}

static inline int fault_control(sqlite3_file *file, int op, void *arg)
{
    sqlite3_file *real = fault_file(file)->real;
    return real->pMethods->xFileControl(real, op, arg);
}

static inline int fault_sector(sqlite3_file *file)
{
    sqlite3_file *real = fault_file(file)->real;
    return real->pMethods->xSectorSize(real);
}

static inline int fault_traits(sqlite3_file *file)
{
    sqlite3_file *real = fault_file(file)->real;
    return real->pMethods->xDeviceCharacteristics(real);
}

/* Version 1: without shared memory, which an exclusive connection needs not. */
static const sqlite3_io_methods fault_methods = {
    .iVersion = 1,
    .xClose = fault_close,
    .xRead = fault_read,
    .xWrite = fault_write,
    .xTruncate = fault_truncate,
    .xSync = fault_sync,
    .xFileSize = fault_size,
    .xLock = fault_lock,
    .xUnlock = fault_unlock,
    .xCheckReservedLock = fault_check_lock,
    .xFileControl = fault_control,
    .xSectorSize = fault_sector,
    .xDeviceCharacteristics = fault_traits,
};

static inline int fault_open(sqlite3_vfs *vfs, const char *name,
                             sqlite3_file *file, int flags, int *ret_flags)
{
    (void)vfs;
    struct fault_file *made = fault_file(file);
    made->real = (sqlite3_file *)(made + 1);
    made->base.pMethods = NULL;
    snprintf(made->path, sizeof made->path, "%s", name == NULL ? "" : name);
    if (fault_due(FAULT_ELSE))
        return SQLITE_CANTOPEN;
    int rc = fault_vfs.real->xOpen(fault_vfs.real, name, made->real, flags,
                                   ret_flags);
    made->base.pMethods = rc == SQLITE_OK ? &fault_methods : NULL;
    return rc;
}

static inline int fault_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    (void)vfs;
    (void)sync;
    if (atomic_load(&fault_vfs.kind) == FAULT_POWER) {
        char synced[160];
        if (fault_due(FAULT_WRITE))
            return SQLITE_IOERR_DELETE;
        fault_synced_path(name, synced);
        unlink(synced);
    }
    if (fault_due(FAULT_ELSE))
        return SQLITE_IOERR_DELETE;
    return fault_vfs.real->xDelete(fault_vfs.real, name, 0);
}

/* From now on every SQLite file is opened through here. */
static inline void fault_vfs_register(void)
{
    fault_vfs.real = sqlite3_vfs_find(NULL);
    fault_vfs.vfs = *fault_vfs.real;
    fault_vfs.vfs.zName = "fault";
    fault_vfs.vfs.szOsFile =
        (int)sizeof(struct fault_file) + fault_vfs.real->szOsFile;
    fault_vfs.vfs.xOpen = fault_open;
    fault_vfs.vfs.xDelete = fault_delete;
    sqlite3_vfs_register(&fault_vfs.vfs, 1);
}

static inline void fault_vfs_set(enum fault_kind kind, long n)
{
    atomic_store(&fault_vfs.failed, 0);
    atomic_store(&fault_vfs.countdown, n);
    atomic_store(&fault_vfs.kind, kind);
}

#endif
