/* SPDX-License-Identifier: Apache-2.0
 *
 * However a peer's stream is cut into pieces, it is refused at the same byte or
 * not at all, nothing past a bound is counted, and what stands at its end is
 * the same. The first byte says how many lengths of pieces follow; they are
 * gone round; the rest is the stream.
 */
#include "common/zmtp.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"
#include "tests/fuzz/fuzz_bytes.h"

#define CUTS_MAX 16

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

struct cuts {
    size_t at[CUTS_MAX], n;
};

static void check_bounds(const struct zmtp_stream *stream)
{
    assert(stream->message.parts <= LIMIT_PARTS);
    assert(stream->message.bytes <= LIMIT_MESSAGE + LIMIT_TOPIC);
    assert(stream->head < sizeof stream->at);
}

static void check_same(const struct zmtp_stream *a, const struct zmtp_stream *b)
{
    assert(a->message.parts == b->message.parts);
    assert(a->message.bytes == b->message.bytes);
    assert(a->body == b->body && a->greeting == b->greeting);
    assert(a->head == b->head && memcmp(a->at, b->at, a->head) == 0);
}

/* Byte by byte. Returns how many were taken before the one that is refused. */
static size_t follow_bytes(struct zmtp_stream *stream,
                           const struct fuzz_bytes *in)
{
    for (size_t i = 0; i < in->left; i++) {
        if (!zmtp_follow(stream, in->at + i, 1))
            return i;
        check_bounds(stream);
    }
    return in->left;
}

/* In pieces: the one with the byte that is refused is, and none before it. */
static void follow_pieces(struct zmtp_stream *stream,
                          const struct fuzz_bytes *in, const struct cuts *cuts,
                          size_t taken)
{
    size_t at = 0;
    for (size_t i = 0; at < in->left; i++) {
        size_t left = in->left - at, n = cuts->n ? cuts->at[i % cuts->n] : left;
        n = n < left ? n : left;
        bool ok = zmtp_follow(stream, in->at + at, n);
        assert(ok == (at + n <= taken));
        if (!ok)
            return;
        at += n;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct zmtp_stream whole = {0}, pieces = {0};
    struct fuzz_bytes in = {bytes, len};
    struct cuts cuts = {.n = fuzz_pick(&in, CUTS_MAX + 1)};
    for (size_t i = 0; i < cuts.n; i++)
        cuts.at[i] = 1 + (size_t)fuzz_take(&in, 1);
    size_t taken = follow_bytes(&whole, &in);
    follow_pieces(&pieces, &in, &cuts, taken);
    check_same(&whole, &pieces);
    return 0;
}
