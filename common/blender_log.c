/* SPDX-License-Identifier: Apache-2.0
 *
 * A short table, looked through for every line.
 */
#include "common/blender_log.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    const char *said;
    enum fault fault;
} hints[] = {
    {"No OpenGL vendor detected", FAULT_BAD_ENGINE},
    {"Unable to open a display", FAULT_BAD_ENGINE},
    {"Failed to read blend file", FAULT_BAD_BLEND},
    {"Cannot read file", FAULT_BAD_BLEND},
    {"File format is not supported", FAULT_BAD_BLEND},
    {"Missing DNA block", FAULT_BAD_BLEND},
    {"Malloc returns null", FAULT_OUT_OF_MEMORY},
    {"Calloc returns null", FAULT_OUT_OF_MEMORY},
    {"std::bad_alloc", FAULT_OUT_OF_MEMORY},
    {"ut of memory", FAULT_OUT_OF_MEMORY},
    {"No space left on device", FAULT_DISK_FULL},
    {"Read-only file system", FAULT_UNWRITABLE},
};

/* Those of which the failure class knows nothing. */
static const char *const others[] = {"Traceback (most recent call last)",
                                     "Segmentation fault", " missing from '"};

enum fault blender_line_fault(const char *line)
{
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++)
        if (strstr(line, hints[i].said) != NULL)
            return hints[i].fault;
    return FAULT_NONE;
}

static bool is_error(const char *line)
{
    if (strncmp(line, BLENDER_ERROR, strlen(BLENDER_ERROR)) == 0 ||
        blender_line_fault(line) != FAULT_NONE)
        return true;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strstr(line, others[i]) != NULL)
            return true;
    return false;
}

size_t blender_first_error(const char *log, size_t n, const char **ret_at)
{
    char line[1024]; /* as much of one as matters */
    const char *end = log + n;
    for (size_t number = 1; log < end; number++) {
        const char *stop = memchr(log, '\n', (size_t)(end - log));
        size_t len = (size_t)((stop != NULL ? stop : end) - log);
        size_t taken = len < sizeof line ? len : sizeof line - 1;
        memcpy(line, log, taken);
        line[taken] = '\0';
        if (is_error(line)) {
            if (ret_at != NULL)
                *ret_at = log;
            return number;
        }
        log += len + 1;
    }
    return 0;
}
