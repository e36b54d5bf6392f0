/* SPDX-License-Identifier: Apache-2.0
 *
 * Programs that run beside this one and end with it: each in a process group
 * of its own, told by the kernel when this program dies, its stderr in a file.
 * Signals arrive through one descriptor, so that every wait can be ended by
 * them.
 */
#ifndef FRAMEQ_CLI_DEV_CHILD_H
#define FRAMEQ_CLI_DEV_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_NAME  32
#define CHILD_READY 512

struct child {
    char name[CHILD_NAME];   /* "agent-1" */
    char *log;               /* path; owned */
    pid_t pid;               /* 0: not started, or over */
    int out;                 /* its stdout; -1: none */
    int status;              /* as of waitpid, once it is over */
    char ready[CHILD_READY]; /* what it has written of its ready line */
    size_t ready_len;
    struct child *next; /* in the order they were added */
};

/* children_open takes SIGINT, SIGTERM, SIGHUP and SIGCHLD for this program.
 * Once, before the first child. */
struct children;
struct children *children_open(void);

/* children_add returns a new child with that name, whose stderr goes to the
 * file log (appended). Valid until children_close. */
struct child *children_add(struct children *children, const char *name,
                           const char *log);

/* children_close forgets all children, which must be over, and nulls. */
void children_close(struct children **children);

/* child_start runs argv (argv[0]: a path, or a name looked for in PATH).
 * Returns false, and says why on stderr, when that is not possible. */
bool child_start(struct children *children, struct child *child,
                 char *const *argv);

/* children_open_page starts the person's browser at url, in a session of its
 * own: it is not ours to end. */
void children_open_page(const struct children *children, const char *url);

enum child_news {
    CHILD_TIME, /* the deadline came */
    CHILD_STOP, /* a signal says: end */
    CHILD_OVER, /* a child ended; *ret is it */
    CHILD_READY_LINE
};

/* child_wait waits until deadline_ms (as clock_now_ms; -1: for ever), a signal,
 * a child's end, or, where of is not NULL (it runs then), its ready line. */
enum child_news child_wait(struct children *children, struct child *of,
                           int64_t deadline_ms, struct child **ret);

/* child_address copies to ret what the ready line says of name ("http"), or of
 * the first name there is. "" when there is none. */
const char *child_address(const struct child *child, const char *name,
                          char *ret, size_t size);

/* child_tell says on stderr how a child ended, with the end of its log. */
void child_tell(const struct child *child);

/* children_end ends all children whose names begin with prefix: SIGTERM, and
 * SIGKILL for those that are still there after grace_ms or when one more signal
 * comes. What is left in a child's process group goes with it. */
void children_end(struct children *children, const char *prefix,
                  int64_t grace_ms);

#endif
