/* SPDX-License-Identifier: Apache-2.0
 *
 * Runs a function in a child process and gathers what it printed and how it
 * ended: for code that writes to stderr or exits.
 */
#ifndef FRAMEQ_TESTS_UNIT_CHILD_H
#define FRAMEQ_TESTS_UNIT_CHILD_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    int code; /* exit code, or minus the signal */
    char out[16384], err[16384];
};

static inline void child_gather(FILE *file, char *ret, size_t size)
{
    rewind(file);
    ret[fread(ret, 1, size - 1, file)] = '\0';
    fclose(file);
}

/* The child exits with 0 where the function returns. */
static inline void child_run(struct child *ret, void (*run)(void *), void *arg)
{
    int status = 0;
    FILE *out = tmpfile(), *err = tmpfile();
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fileno(out), STDOUT_FILENO);
        dup2(fileno(err), STDERR_FILENO);
        run(arg);
        fflush(NULL);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    ret->code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    child_gather(out, ret->out, sizeof ret->out);
    child_gather(err, ret->err, sizeof ret->err);
}

#endif
