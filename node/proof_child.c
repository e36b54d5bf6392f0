/* SPDX-License-Identifier: Apache-2.0
 *
 * A proof in a child: the result comes back over a pipe as one line of JSON,
 * the thumbnail's bytes behind it. A child that dies has proven nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "node/proof.h"

/* Files, reason and thumbnail together. */
enum { ANSWER_MAX = LIMIT_FRAME_FILES * 8192 + LIMIT_REASON + LIMIT_THUMB };

static void all_write(int fd, const void *bytes, size_t n)
{
    const char *at = bytes;
    while (n > 0) {
        const ssize_t written = write(fd, at, n);
        if (written < 0 && errno != EINTR)
            return;
        if (written > 0) {
            at += written;
            n -= (size_t)written;
        }
    }
}

static void answer_write(int fd, const struct proof_result *result)
{
    json_t *line =
        json_pack("{s:s, s:s?, s:O}", "fault", fault_word(result->fault),
                  "text", result->text, "files", result->files);
    char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;
    if (text) {
        all_write(fd, text, strlen(text));
        all_write(fd, "\n", 1);
        all_write(fd, result->thumb, result->thumb_len);
    }
    free(text);
    json_decref(line);
}

static void child_run(const struct proof_order *order, int fd, pid_t node)
{
    const struct rlimit cpu = {LIMIT_PROOF_CPU, LIMIT_PROOF_CPU};
    struct proof_result result;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != node)
        _exit(1);
    signal(SIGPIPE, SIG_DFL);
    setrlimit(RLIMIT_CPU, &cpu);
    proof_make(order, &result);
    answer_write(fd, &result);
    _exit(0);
}

bool proof_start(struct proof *proof, const struct proof_order *order,
                 int32_t ordinal)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    const pid_t node = getpid();
    const pid_t pid = fork();
    if (pid == 0)
        child_run(order, ends[1], node);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return false;
    }
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    *proof = (struct proof){.pid = pid, .ordinal = ordinal, .fd = ends[0]};
    buf_init(&proof->in, ANSWER_MAX);
    return true;
}

bool proof_read(struct proof *proof)
{
    char block[16384];
    ssize_t n = 0;
    while (proof->fd >= 0 && (n = read(proof->fd, block, sizeof block)) > 0)
        buf_add(&proof->in, block, (size_t)n);
    if (proof->fd >= 0 && n == 0) {
        close(proof->fd);
        proof->fd = -1;
    }
    return proof->fd < 0 && proof->reaped;
}

static void answer_take(struct proof *proof, const char *end, json_t *line,
                        struct proof_result *ret)
{
    const char *text = json_string_value(json_object_get(line, "text"));
    const size_t head = (size_t)(end - proof->in.data) + 1;
    ret->fault = fault_find(json_string_value(json_object_get(line, "fault")));
    ret->text = mem_text(text);
    ret->files = json_incref(json_object_get(line, "files"));
    ret->thumb_len = proof->in.len - head;
    if (ret->thumb_len > 0)
        ret->thumb = mem_copy(proof->in.data + head, ret->thumb_len);
}

void proof_take(struct proof *proof, struct proof_result *ret)
{
    const char *end =
        proof->in.len > 0 ? memchr(proof->in.data, '\n', proof->in.len) : NULL;
    json_t *line = NULL;
    if (end && !proof->in.over)
        line =
            json_loadb(proof->in.data, (size_t)(end - proof->in.data), 0, NULL);
    *ret = (struct proof_result){0};
    if (line) {
        answer_take(proof, end, line, ret);
    } else {
        ret->fault = FAULT_UNPROVEN;
        ret->text = mem_text("the proof of the picture was broken off");
        ret->files = json_array();
    }
    json_decref(line);
}

void proof_done(struct proof *proof)
{
    if (proof->pid && !proof->reaped)
        kill(proof->pid, SIGKILL);
    if (proof->fd >= 0)
        close(proof->fd);
    buf_free(&proof->in);
    *proof = (struct proof){.fd = -1};
}
