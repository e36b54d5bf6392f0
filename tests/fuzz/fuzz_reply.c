/* SPDX-License-Identifier: Apache-2.0
 *
 * Whatever a node answers becomes an answer within its bounds. The first three
 * bytes choose the question and how the answer came; the rest is its body.
 */
#include "worker-agent/node_reply.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"
#include "common/text.h"
#include "tests/fuzz/fuzz_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_text(const char *text, size_t most)
{
    assert(text != NULL && strlen(text) <= most);
    assert(text_is_plain(text, strlen(text)));
}

static void check_answer(const struct node_answer *answer)
{
    assert(answer->word <= ANSWER_ODD && answer->pid >= 0);
    assert(answer->revision >= 0);
    assert(-1 <= answer->to && answer->to <= LIMIT_FRAME_MAX);
    assert(-1 <= answer->frame && answer->frame <= LIMIT_FRAME_MAX);
    assert(0 <= answer->permille && answer->permille <= 1000);
    assert(answer->fault < FAULT_COUNT);
    bool failed =
        answer->word == ANSWER_FAILED || answer->word == ANSWER_REFUSED;
    assert(failed == (answer->fault != FAULT_NONE));
    check_text(answer->text, LIMIT_REASON);
    assert(answer->n_frames <= LIMIT_BATCH);
    for (size_t i = 0; i < answer->n_frames; i++) {
        const struct answer_frame *frame = &answer->frames[i];
        assert(0 <= frame->frame && frame->frame <= LIMIT_FRAME_MAX);
        assert(frame->ms >= 0);
        check_text(frame->files, LIMIT_FILES);
    }
}

static void check_facts(const struct node_facts *facts)
{
    assert(0 <= facts->slots && facts->slots <= LIMIT_SLOTS);
    assert(facts->cores >= 0 && facts->memory_mb >= 0 && facts->gpus >= 0);
    check_text(facts->name, LIMIT_NAME);
    check_text(facts->version, LIMIT_NAME);
    check_text(facts->blender, LIMIT_NAME);
    check_text(facts->device, LIMIT_NAME);
    check_text(facts->error, LIMIT_REASON);
}

static void probe(enum probe question, const struct web_answer *web,
                  struct arena *arena)
{
    struct probe_answer answer;
    node_reply_probe(question, web, arena, &answer);
    check_text(answer.text, LIMIT_REASON);
    if (answer.facts != NULL)
        check_facts(answer.facts);
}

static void ask(size_t question, const struct web_answer *web,
                struct arena *arena)
{
    struct node_answer answer;
    node_reply_read((enum call)(question % CALLS), question >= CALLS, web,
                    arena, &answer);
    check_answer(&answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const int statuses[] = {200, 202, 204, 400, 404, 409,
                                   422, 429, 500, 503, 302, 0};
    static struct arena arena;
    struct fuzz_bytes in = {bytes, len};
    arena_reset(&arena);
    size_t question = fuzz_pick(&in, 2 * CALLS + PROBE_HEALTH + 1);
    struct web_answer web = {
        .status = statuses[fuzz_pick(&in, sizeof statuses / sizeof *statuses)],
        .result = (enum web_result)fuzz_pick(&in, WEB_TOO_MUCH + 1),
        .body = "",
        .text = ""};
    if (web.result == WEB_ANSWERED) {
        web.len = in.left;
        web.body = arena_text(&arena, (const char *)in.at, in.left);
    } else {
        web.text = "the connection was reset";
    }
    if (question < 2 * CALLS)
        ask(question, &web, &arena);
    else
        probe((enum probe)(question - 2 * CALLS), &web, &arena);
    return 0;
}
