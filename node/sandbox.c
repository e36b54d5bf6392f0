/* SPDX-License-Identifier: Apache-2.0
 *
 * GPU devices are bound where they are there; their kernel caches are not
 * writable in here, so a GPU may compile its kernels at every start.
 */
#include "node/sandbox.h"

#include <assert.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "node/which.h"

static const char *const fixed[] = {"--unshare-all",
                                    "--die-with-parent",
                                    "--ro-bind",
                                    "/",
                                    "/",
                                    "--dev",
                                    "/dev",
                                    "--proc",
                                    "/proc"};

static const char *const devices[] = {
    "/dev/dri",           "/dev/kfd",     "/dev/nvidiactl", "/dev/nvidia-uvm",
    "/dev/nvidia0",       "/dev/nvidia1", "/dev/nvidia2",   "/dev/nvidia3",
    "/dev/nvidia4",       "/dev/nvidia5", "/dev/nvidia6",   "/dev/nvidia7",
    "/dev/nvidia-modeset"};

size_t sandbox_args(const struct sandbox *sandbox, const char *const *writable,
                    const char **argv)
{
    size_t n = 0;
    argv[n++] = sandbox->bwrap;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        argv[n++] = fixed[i];
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        argv[n++] = "--dev-bind-try";
        argv[n++] = devices[i];
        argv[n++] = devices[i];
    }
    for (; *writable; writable++) {
        argv[n++] = "--bind";
        argv[n++] = *writable;
        argv[n++] = *writable;
    }
    argv[n++] = "--";
    assert(n <= SANDBOX_ARGS);
    return n;
}

/* It may be installed and yet not be allowed to make namespaces. */
static bool sandbox_try(const struct sandbox *sandbox)
{
    const char *argv[SANDBOX_ARGS + 2];
    size_t n = sandbox_args(sandbox, (const char *const[]){"/tmp", NULL}, argv);
    argv[n++] = "true";
    argv[n] = NULL;
    posix_spawn_file_actions_t quiet;
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null",
                                     O_WRONLY, 0);
    pid_t pid = 0;
    int status = -1;
    char *const *words = (char *const *)(const void *)argv;
    const int rc = posix_spawn(&pid, argv[0], &quiet, NULL, words, environ);
    posix_spawn_file_actions_destroy(&quiet);
    return rc == 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

struct sandbox *sandbox_open(char *why, size_t size)
{
    struct sandbox *sandbox = mem_new(sizeof *sandbox);
    sandbox->bwrap = which_find("bwrap");
    if (!sandbox->bwrap)
        snprintf(why, size, "bubblewrap is not installed");
    else if (!sandbox_try(sandbox))
        snprintf(why, size, "bubblewrap may not make namespaces here");
    else
        return sandbox;
    sandbox_close(&sandbox);
    return NULL;
}

void sandbox_close(struct sandbox **sandbox)
{
    if (!*sandbox)
        return;
    mem_free((*sandbox)->bwrap);
    mem_free(*sandbox);
    *sandbox = NULL;
}
