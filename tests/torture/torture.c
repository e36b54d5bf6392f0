/* SPDX-License-Identifier: Apache-2.0
 *
 * The n-th thing fails, for every n: allocations of core and ledger and of
 * SQLite, writes, syncs and every other call to the disk, room, power. Each n
 * is a process of its own that plays a scripted session until it ends, however
 * it ends; then its ledger must hold all that was acknowledged, be the farm it
 * should be, and go on.
 *
 *   frameq-torture [--quick] [KIND]
 *
 * KIND: that one only. --quick: every fifth of SQLite's allocations, which are
 * most of all and go wrong in the same few ways.
 */
#include "tests/unit/fault_vfs.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "tests/torture/session.h"

#define WORKERS     4 /* a session waits more than it works */
#define WRONG_SHOWN 5
#define WRONG_MOST  50 /* a worker gives up */

/* What a session's process shares with the one that judges it. */
struct shared {
    struct session_tale tale;
    volatile long failed; /* things that have */
};

static struct shared *shared;

/* --- Memory. --- */

static atomic_long allocations_left; /* until the one that fails; 0: none */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t n);

static bool memory_is_out(atomic_long *left)
{
    if (atomic_load(left) <= 0 || atomic_fetch_sub(left, 1) != 1)
        return false;
    shared->failed = 1;
    return true;
}

void *__wrap_malloc(size_t n)
{
    return memory_is_out(&allocations_left) ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return memory_is_out(&allocations_left) ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t n)
{
    return memory_is_out(&allocations_left) ? NULL : __real_realloc(old, n);
}

static atomic_long sqlite_left;
static sqlite3_mem_methods sqlite_memory;

static void *sqlite_malloc(int n)
{
    return memory_is_out(&sqlite_left) ? NULL : sqlite_memory.xMalloc(n);
}

static void *sqlite_realloc(void *old, int n)
{
    return memory_is_out(&sqlite_left) ? NULL : sqlite_memory.xRealloc(old, n);
}

static void sqlite_memory_wrap(void)
{
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_memory);
    sqlite3_mem_methods wrapped = sqlite_memory;
    wrapped.xMalloc = sqlite_malloc;
    wrapped.xRealloc = sqlite_realloc;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &wrapped);
}

/* --- Room. Thousands of ballasts are not worth their bytes. --- */

int __wrap_posix_fallocate(int fd, off_t at, off_t size);

int __wrap_posix_fallocate(int fd, off_t at, off_t size)
{
    return ftruncate(fd, at + size) == 0 ? 0 : errno;
}

/* --- The kinds. --- */

static unsigned short dice[3];

static void tear(const char *path)
{
    fault_vfs_power_tear(path, dice);
}

static const struct kind {
    const char *name;
    atomic_long *memory; /* the n-th of these; NULL: of the disk's */
    enum fault_kind fault;
    void (*cut)(const char *path); /* afterwards, to ledger and log */
    long least;                    /* n that there must be, or it is no test */
    long quick_step;               /* --quick: every so-manieth n */
} kinds[] = {
    {"memory", &allocations_left, FAULT_OFF, NULL, 300, 1},
    {"sqlite-memory", &sqlite_left, FAULT_OFF, NULL, 300, 5},
    {"disk-error", NULL, FAULT_ANY, NULL, 100, 1},
    {"disk-full", NULL, FAULT_NO_ROOM, NULL, 60, 1},
    {"stop", NULL, FAULT_POWER, NULL, 100, 1},
    {"power-lost", NULL, FAULT_POWER, fault_vfs_power_cut, 100, 1},
    {"power-torn", NULL, FAULT_POWER, tear, 100, 1},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static bool quick;

static long step_of(const struct kind *kind)
{
    return quick ? kind->quick_step : 1;
}

/* --- One n. --- */

static void empty(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (entry->d_name[0] != '.')
            unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
}

/* The session; in a process of its own. */
__attribute__((noreturn)) static void run(const struct kind *kind, long n,
                                          const char *dir)
{
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    if (freopen("/dev/null", "w", stderr) == NULL)
        _exit(SESSION_WRONG);
    fault_vfs_set(kind->fault, n);
    if (kind->memory != NULL)
        atomic_store(kind->memory, n);
    enum session_end end = session_play(dir, &shared->tale);
    if (kind->memory == NULL)
        shared->failed = atomic_load(&fault_vfs.failed);
    _exit((int)end);
}

/* An end that may be: the script's, a refusal or a broken ledger with its
 * reason, or, without memory, a loud stop. */
static bool end_is_good(const struct kind *kind, int status)
{
    if (WIFSIGNALED(status))
        return kind->memory == &allocations_left && WTERMSIG(status) == SIGABRT;
    int code = WEXITSTATUS(status);
    return code == SESSION_WHOLE ||
           (shared->failed > 0 &&
            (code == SESSION_REFUSED || code == SESSION_BROKEN));
}

static void cut(const struct kind *kind, long n, const char *dir)
{
    char path[160];
    static const char *const files[] = {"ledger.db", "ledger.db-wal"};
    dice[0] = (unsigned short)n;
    for (int i = 0; kind->cut != NULL && i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        kind->cut(path);
    }
}

/* Plays one n. Returns "" or what is wrong; ret_hit: something failed. */
static const char *judge(const struct kind *kind, long n, const char *dir,
                         bool *ret_hit)
{
    static char why[512];
    int status = 0;
    shared->tale.acknowledged = 0;
    shared->failed = 0;
    pid_t pid = fork();
    if (pid == 0)
        run(kind, n, dir);
    waitpid(pid, &status, 0);
    *ret_hit = shared->failed > 0 || status != 0;
    if (*ret_hit)
        cut(kind, n, dir);
    why[0] = '\0';
    if (!end_is_good(kind, status))
        snprintf(why, sizeof why, "the session ended with status %#x",
                 (unsigned)status);
    else
        (void)session_check(dir, shared->tale.acknowledged, why, sizeof why);
    empty(dir);
    return why;
}

/* --- Every n. --- */

struct tally {
    long n, wrong;
};

/* Every WORKERS-th n of those that are tried, until nothing is left to fail. */
static struct tally work(const struct kind *kind, long first, const char *dir)
{
    struct tally tally = {0, 0};
    bool hit = true;
    long step = step_of(kind);
    for (long n = first * step; hit && tally.wrong < WRONG_MOST;
         n += WORKERS * step) {
        const char *why = judge(kind, n, dir, &hit);
        tally.n += hit;
        tally.wrong += why[0] != '\0';
        if (why[0] != '\0' && tally.wrong <= WRONG_SHOWN)
            printf("%s %ld: %s\n", kind->name, n, why);
    }
    return tally;
}

__attribute__((noreturn)) static void worker(const struct kind *kind,
                                             long first, int fd)
{
    char dir[64];
    snprintf(dir, sizeof dir, "%s/frameq-torture-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mkdtemp(dir) == NULL || shared == MAP_FAILED)
        _exit(1);
    struct tally tally = work(kind, first, dir);
    rmdir(dir);
    fflush(stdout);
    _exit(write(fd, &tally, sizeof tally) == sizeof tally ? 0 : 1);
}

static struct tally torture(const struct kind *kind)
{
    struct tally all = {0, 0}, one;
    int fds[2];
    if (pipe(fds) != 0)
        abort();
    for (long i = 0; i < WORKERS; i++)
        if (fork() == 0)
            worker(kind, i + 1, fds[1]);
    close(fds[1]);
    int told = 0;
    for (; read(fds[0], &one, sizeof one) == sizeof one; told++) {
        all.n += one.n;
        all.wrong += one.wrong;
    }
    close(fds[0]);
    while (wait(NULL) > 0)
        ;
    if (told < WORKERS || all.n < kind->least) {
        printf("%s: %d workers came to an end, %ld things failed\n", kind->name,
               told, all.n);
        all.wrong++;
    }
    return all;
}

/* --- The judge is judged. --- */

/* A broker that acknowledges before the commit is found out. */
static bool lie_comes_out(void)
{
    const struct kind power = {"lie", NULL, FAULT_POWER, fault_vfs_power_cut,
                               0,     1};
    char dir[] = "/tmp/frameq-torture-XXXXXX";
    bool hit, out = false;
    if (mkdtemp(dir) == NULL)
        return false;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    shared->tale.hasty = true;
    for (long n = 30; n < 300 && !out; n++) /* past the tables */
        out = strstr(judge(&power, n, dir, &hit), "acknowledged") != NULL;
    munmap(shared, sizeof *shared);
    rmdir(dir);
    return out;
}

int main(int argc, char **argv)
{
    long passed = 0, failed = 0;
    quick = argc > 1 && strcmp(argv[1], "--quick") == 0;
    const char *only = argc > 1 + quick ? argv[1 + quick] : NULL;
    sqlite_memory_wrap();
    fault_vfs_register();
    session_expect();
    if (lie_comes_out())
        passed++;
    else
        failed++;
    printf("torture: a lie comes out%s;", failed == 0 ? "" : " NOT");
    fflush(stdout);
    for (size_t i = 0; i < KINDS; i++) {
        if (only != NULL && strcmp(only, kinds[i].name) != 0)
            continue;
        struct tally tally = torture(&kinds[i]);
        passed += tally.n - tally.wrong;
        failed += tally.wrong;
        printf(" %s %ld", kinds[i].name, tally.n);
        fflush(stdout);
    }
    printf("\n%ld passed, %ld failed\n", passed, failed);
    return failed == 0 ? 0 : 1;
}
