/* SPDX-License-Identifier: Apache-2.0
 *
 * Measured on Blender 3.4.1; where it is silent, the likeliest cause.
 */
#include "node/verdict.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "node/blender.h"
#include "node/disk.h"

int verdict_exit(int status)
{
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* bubblewrap passes a signal on as a shell does. */
static int signal_of(int status)
{
    const int code = verdict_exit(status);
    return code > 128 && code < 128 + NSIG ? code - 128 : 0;
}

static enum fault fault_of_signal(int number, const struct output *output)
{
    if (output->hints[FAULT_BAD_ENGINE])
        return FAULT_BAD_ENGINE;
    if (output->hints[FAULT_OUT_OF_MEMORY] || number == SIGKILL)
        return FAULT_OUT_OF_MEMORY;
    return FAULT_CRASH;
}

static const char *words_of(enum fault fault)
{
    if (fault == FAULT_BAD_ENGINE)
        return "its engine needs OpenGL, which is not to be had here; ";
    if (fault == FAULT_OUT_OF_MEMORY)
        return "most likely for lack of memory; ";
    return "";
}

static enum fault fault_of_exit(int code, bool opened,
                                const struct output *output)
{
    if (code == BLENDER_NO_EXEC)
        return FAULT_NO_BLENDER;
    if (!opened && output->hints[FAULT_BAD_BLEND])
        return FAULT_BAD_BLEND;
    if (output->hints[FAULT_OUT_OF_MEMORY])
        return FAULT_OUT_OF_MEMORY;
    return FAULT_RENDER;
}

enum fault verdict_make(int status, bool opened, const struct output *output,
                        char *text, size_t size)
{
    const int number = signal_of(status);
    if (number) {
        const enum fault fault = fault_of_signal(number, output);
        snprintf(text, size,
                 "Blender was ended by signal %d (%s), %ssee the log", number,
                 strsignal(number), words_of(fault));
        return fault;
    }
    const enum fault fault = fault_of_exit(WEXITSTATUS(status), opened, output);
    if (output->error[0])
        snprintf(text, size, "%s", output->error);
    else
        snprintf(text, size, "Blender ended too early, with status %d%s%s",
                 WEXITSTATUS(status), output->last[0] ? ": " : "",
                 output->last);
    return fault;
}

enum fault verdict_refine(enum fault fault, const struct output *output,
                          const char *folder)
{
    if (fault != FAULT_RENDER)
        return fault;
    if (output->hints[FAULT_DISK_FULL] || disk_is_full(folder))
        return FAULT_DISK_FULL;
    return output->hints[FAULT_UNWRITABLE] ? FAULT_UNWRITABLE : FAULT_RENDER;
}

enum fault verdict_of_errno(int reason)
{
    return reason == ENOSPC || reason == EDQUOT ? FAULT_DISK_FULL
                                                : FAULT_UNWRITABLE;
}
