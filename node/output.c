/* SPDX-License-Identifier: Apache-2.0
 *
 * The grammar of Blender 3.4's output, as far as anything depends on it.
 */
#include "node/output.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/blender_log.h"
#include "common/text.h"

static void hints_look(struct output *output, const char *line)
{
    const enum fault fault = blender_line_fault(line);
    if (fault != FAULT_NONE)
        output->hints[fault] = true;
}

static bool is_progress(const char *line)
{
    return strncmp(line, "Fra:", 4) == 0;
}

/* "Fra:12 Mem:10M (Peak 11M) | Time:00:00.39 | ... | Sample 3/64" */
static void progress_look(struct output *output, const char *line)
{
    if (!is_progress(line))
        return;
    output->frame = (int32_t)strtol(line + 4, NULL, 10);
    const char *sample = strstr(line, "| Sample ");
    if (!sample)
        return;
    char *end = NULL;
    const long done = strtol(sample + 9, &end, 10);
    const long all = *end == '/' ? strtol(end + 1, NULL, 10) : 0;
    if (done >= 0 && all >= done && all > 0 && all <= INT32_MAX) {
        output->sample = (int32_t)done;
        output->samples = (int32_t)all;
    }
}

static void error_look(struct output *output, const char *line)
{
    static const char mark[] = BLENDER_ERROR;
    if (is_progress(line) || !line[0])
        return;
    if (strncmp(line, mark, sizeof mark - 1) != 0)
        text_excerpt(line, strlen(line), output->last, sizeof output->last);
    else
        text_excerpt(line + sizeof mark - 1, strlen(line) - sizeof mark + 1,
                     output->error, sizeof output->error);
}

/* "Info: LIB: Object: 'Cube' missing from '/a/lib.blend', parent '<direct>'" */
static void missing_look(struct output *output, const char *line)
{
    const char *at = strstr(line, "LIB: ");
    const char *from = at ? strstr(at, " missing from ") : NULL;
    if (!from)
        return;
    const char *end = strstr(from, ", parent");
    const size_t have = strlen(output->missing);
    const size_t len = end ? (size_t)(end - at) - 5 : strlen(at + 5);
    snprintf(output->missing + have, sizeof output->missing - have, "%s%.*s",
             have ? ", " : "", (int)len, at + 5);
}

static void log_line_add(struct ring *log, const char *line)
{
    ring_add(log, line, strlen(line));
    ring_add(log, "\n", 1);
}

static void held_add(struct output *output)
{
    if (output->held[0])
        log_line_add(&output->log, output->held);
    output->held[0] = '\0';
}

/* Blender prints some forty progress lines a frame. */
static void log_add(struct output *output, const char *line)
{
    if (is_progress(line)) {
        snprintf(output->held, sizeof output->held, "%s", line);
        return;
    }
    held_add(output);
    log_line_add(&output->log, line);
}

static void line_end(struct output *output)
{
    output->line[output->line_len] = '\0';
    output->line_len = 0;
    log_add(output, output->line);
    hints_look(output, output->line);
    progress_look(output, output->line);
    error_look(output, output->line);
    missing_look(output, output->line);
}

void output_add(struct output *output, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n')
            line_end(output);
        else if (bytes[i] && output->line_len + 1 < sizeof output->line)
            output->line[output->line_len++] = bytes[i];
    }
}

uint64_t output_mark(struct output *output)
{
    held_add(output);
    return output->log.total;
}

uint64_t output_part(const struct output *output, uint64_t from, uint64_t to,
                     struct buf *out)
{
    const uint64_t oldest = output->log.total - output->log.len;
    ring_part(&output->log, from, to, out);
    return from > oldest ? from : oldest;
}

void output_log(const struct output *output, size_t most, struct buf *out)
{
    const size_t held = output->held[0] ? strlen(output->held) + 1 : 0;
    const size_t end = held + output->line_len;
    if (most > end)
        ring_copy(&output->log, most - end, out);
    if (held)
        buf_print(out, "%s\n", output->held);
    buf_add(out, output->line, output->line_len);
}

double output_fraction(const struct output *output, int32_t frame)
{
    if (output->frame != frame || output->samples == 0)
        return 0;
    return (double)output->sample / output->samples;
}

void output_forget(struct output *output)
{
    output->sample = 0;
    output->samples = 0;
    output->error[0] = '\0';
    output->hints[FAULT_DISK_FULL] = false;
    output->hints[FAULT_UNWRITABLE] = false;
}

void output_done(struct output *output)
{
    ring_done(&output->log);
    *output = (struct output){0};
}
