/* SPDX-License-Identifier: Apache-2.0
 *
 * Facts of frames, packed: those of a chunk of ordinals as one row, a list of
 * msgpack behind zlib, its length before compression in front. A chunk is
 * either packed or has rows of its own, never both: before one of its facts
 * changes, all of them get their rows back.
 */
#include "broker/ledger/ledger.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "common/layout.h"
#include "common/limits.h"
#include "common/mem.h"

#define VERSION 1
#define LEVEL   6
#define RAW_MOST                                                               \
    ((size_t)FACTS_CHUNK * 4 * LIMIT_FILES) /* more than there is */
#define HEAD_SIZE 4

/* --- Bytes. --- */

static const char *refuse_nothing(const char *text, size_t len)
{
    return memchr(text, '\0', len) == NULL ? NULL : "holds a zero byte";
}

#define ROW(form_, m, least, most_)                                            \
    {                                                                          \
        .name = #m, .form = FORM_##form_,                                      \
        .at = offsetof(struct frame_fact, m), .low = (least), .high = (most_), \
        .refuse = refuse_nothing                                               \
    }

static const struct field_row fact_rows[] = {
    ROW(I32, ordinal, 0, LIMIT_FRAMES - 1),
    ROW(I32, attempts, 0, INT32_MAX),
    ROW(I64, at_ms, INT64_MIN, INT64_MAX),
    ROW(I32, ms, INT32_MIN, INT32_MAX),
    ROW(U64, lease, 0, -1),
    ROW(TEXT, agent, 0, LIMIT_AGENT),
    ROW(TEXT, blender, 0, LIMIT_NAME),
    ROW(TEXT, files, 0, LIMIT_FILES),
    ROW(TEXT, fault, 0, LIMIT_NAME),
    ROW(TEXT, text, 0, LIMIT_FILES),
};

static const struct layout fact_layout = {
    .size = sizeof(struct frame_fact),
    .n = sizeof fact_rows / sizeof *fact_rows,
    .fields = fact_rows,
};

struct chunk {
    uint64_t version;
    const struct frame_fact *facts;
    size_t n;
};

static const char *refuse_order(const void *value)
{
    const struct chunk *chunk = value;
    for (size_t i = 1; i < chunk->n; i++)
        if (chunk->facts[i - 1].ordinal >= chunk->facts[i].ordinal)
            return "has frames that do not ascend";
    return NULL;
}

static const struct field_row chunk_rows[] = {
    {.name = "version",
     .form = FORM_U64,
     .at = offsetof(struct chunk, version),
     .low = VERSION,
     .high = VERSION},
    {.name = "facts",
     .form = FORM_LIST,
     .at = offsetof(struct chunk, facts),
     .count_at = offsetof(struct chunk, n),
     .most = FACTS_CHUNK,
     .of = &fact_layout},
};

static const struct layout chunk_layout = {
    .size = sizeof(struct chunk),
    .n = sizeof chunk_rows / sizeof *chunk_rows,
    .fields = chunk_rows,
    .refuse = refuse_order,
};

static void put_length(size_t len, unsigned char head[HEAD_SIZE])
{
    for (int i = 0; i < HEAD_SIZE; i++)
        head[i] = (unsigned char)(len >> 8 * i);
}

static size_t length_of(const unsigned char head[HEAD_SIZE])
{
    size_t len = 0;
    for (int i = 0; i < HEAD_SIZE; i++)
        len |= (size_t)head[i] << 8 * i;
    return len;
}

/* The bytes of a chunk, in arena. */
static void *facts_write(const struct chunk *chunk, struct arena *arena,
                         size_t *ret_len)
{
    struct buf raw;
    buf_init(&raw, RAW_MOST);
    layout_array(chunk_layout.n, &raw);
    layout_encode(&chunk_layout, chunk, &raw);
    assert(!raw.over);
    uLongf len = compressBound(raw.len);
    unsigned char *bytes = arena_new(arena, HEAD_SIZE + len);
    put_length(raw.len, bytes);
    int rc = compress2(bytes + HEAD_SIZE, &len, (const Bytef *)raw.data,
                       raw.len, LEVEL);
    assert(rc == Z_OK); /* what else there is: no memory */
    buf_free(&raw);
    *ret_len = HEAD_SIZE + len;
    return bytes;
}

static const void *inflate_all(const unsigned char *bytes, size_t len,
                               struct arena *arena, size_t *ret_len)
{
    if (bytes == NULL || len < HEAD_SIZE || length_of(bytes) > RAW_MOST)
        return NULL;
    uLongf size = length_of(bytes);
    void *raw = arena_new(arena, size + 1);
    int rc = uncompress(raw, &size, bytes + HEAD_SIZE, len - HEAD_SIZE);
    *ret_len = size;
    return rc == Z_OK && size == length_of(bytes) ? raw : NULL;
}

const struct frame_fact *facts_read(const void *bytes, size_t len,
                                    struct arena *arena, size_t *ret_n,
                                    char *why, size_t size)
{
    size_t raw_len = 0, count;
    const void *raw = inflate_all(bytes, len, arena, &raw_len);
    struct layout_reader reader = {unpack_of(raw, raw_len), arena, "facts", why,
                                   size};
    struct chunk chunk = {.facts = NULL};
    snprintf(why, size, "facts: cannot be unpacked");
    if (raw == NULL || !unpack_array(&reader.in, &count) ||
        !layout_decode(&reader, &chunk_layout, count, &chunk))
        return NULL;
    *ret_n = chunk.n;
    return chunk.facts;
}

/* --- Rows. --- */

static const char *take_text(sqlite3_stmt *row, int column, struct arena *arena)
{
    const char *text = (const char *)sqlite3_column_text(row, column);
    return arena_text(arena, text, (size_t)sqlite3_column_bytes(row, column));
}

struct frame_fact facts_take(sqlite3_stmt *row, struct arena *arena)
{
    return (struct frame_fact){
        .ordinal = sqlite3_column_int(row, 0),
        .attempts = sqlite3_column_int(row, 1),
        .at_ms = sqlite3_column_int64(row, 2),
        .ms = sqlite3_column_int(row, 3),
        .lease = (uint64_t)sqlite3_column_int64(row, 4),
        .agent = take_text(row, 5, arena),
        .blender = take_text(row, 6, arena),
        .files = take_text(row, 7, arena),
        .fault = take_text(row, 8, arena),
        .text = take_text(row, 9, arena),
    };
}

static bool add_row(struct ledger *ledger, int64_t number,
                    const struct frame_fact *fact)
{
    sqlite3_stmt *add = ledger_statement(ledger, SQL_FRAME_ADD);
    const char *const texts[] = {fact->agent, fact->blender, fact->files,
                                 fact->fault, fact->text};
    sqlite3_bind_int64(add, 1, number);
    sqlite3_bind_int(add, 2, fact->ordinal);
    sqlite3_bind_int(add, 3, fact->attempts);
    sqlite3_bind_int64(add, 4, fact->at_ms);
    sqlite3_bind_int(add, 5, fact->ms);
    sqlite3_bind_int64(add, 6, (sqlite3_int64)fact->lease);
    for (int i = 0; i < 5; i++)
        sqlite3_bind_text(add, 7 + i, texts[i], -1, SQLITE_STATIC);
    return ledger_run(add);
}

static bool run_for(struct ledger *ledger, enum ledger_sql sql, int64_t number,
                    int64_t from, int64_t to)
{
    sqlite3_stmt *run = ledger_statement(ledger, sql);
    const int64_t values[] = {number, from, to};
    int n = sqlite3_bind_parameter_count(run);
    assert(n <= 3);
    for (int i = 0; i < n; i++)
        sqlite3_bind_int64(run, i + 1, values[i]);
    return ledger_run(run);
}

/* One that is damaged stays until the next one takes its place. */
static bool unpack_row(struct ledger *ledger, sqlite3_stmt *row, int64_t chunk)
{
    struct arena arena = {0};
    char why[256];
    size_t n;
    int64_t number = sqlite3_column_int64(row, 1);
    const struct frame_fact *facts = facts_read(
        sqlite3_column_blob(row, 0), (size_t)sqlite3_column_bytes(row, 0),
        &arena, &n, why, sizeof why);
    sqlite3_reset(row);
    bool done =
        facts == NULL || run_for(ledger, SQL_PACK_DROP, number, chunk, 0);
    for (size_t i = 0; done && facts != NULL && i < n; i++)
        done = add_row(ledger, number, &facts[i]);
    arena_done(&arena);
    return done;
}

bool facts_unpack(struct ledger *ledger, const char *job, int32_t ordinal)
{
    sqlite3_stmt *find = ledger_statement(ledger, SQL_PACK_FIND);
    sqlite3_bind_text(find, 1, job, -1, SQLITE_STATIC);
    sqlite3_bind_int(find, 2, ordinal / FACTS_CHUNK);
    int rc = find == NULL ? SQLITE_ERROR : sqlite3_step(find);
    if (rc == SQLITE_ROW)
        return unpack_row(ledger, find, ordinal / FACTS_CHUNK);
    sqlite3_reset(find);
    return rc == SQLITE_DONE;
}

/* The first rows there are, as far as they are of one chunk. */
static bool take_chunk(struct ledger *ledger, int64_t number,
                       struct arena *arena, struct chunk *ret)
{
    struct frame_fact *facts = arena_new(arena, FACTS_CHUNK * sizeof *facts);
    sqlite3_stmt *rows = ledger_statement(ledger, SQL_PACK_FRAMES);
    sqlite3_bind_int64(rows, 1, number);
    sqlite3_bind_int(rows, 2, FACTS_CHUNK);
    int rc = rows == NULL ? SQLITE_ERROR : sqlite3_step(rows);
    for (; rc == SQLITE_ROW; rc = sqlite3_step(rows)) {
        struct frame_fact fact = facts_take(rows, arena);
        if (ret->n > 0 &&
            fact.ordinal / FACTS_CHUNK != facts->ordinal / FACTS_CHUNK)
            break;
        facts[ret->n++] = fact;
    }
    sqlite3_reset(rows);
    ret->facts = facts;
    return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static bool add_chunk(struct ledger *ledger, int64_t number,
                      const struct chunk *chunk, struct arena *arena)
{
    size_t len;
    const void *bytes = facts_write(chunk, arena, &len);
    int32_t at = chunk->facts->ordinal / FACTS_CHUNK;
    sqlite3_stmt *add = ledger_statement(ledger, SQL_PACK_ADD);
    sqlite3_bind_int64(add, 1, number);
    sqlite3_bind_int(add, 2, at);
    sqlite3_bind_blob(add, 3, bytes, (int)len, SQLITE_STATIC);
    return ledger_run(add) && run_for(ledger, SQL_FRAMES_DROP, number,
                                      at * FACTS_CHUNK, (at + 1) * FACTS_CHUNK);
}

bool facts_pack(struct ledger *ledger, int64_t number, int *ret_rows)
{
    struct arena arena = {0};
    struct chunk chunk = {.version = VERSION};
    bool done = take_chunk(ledger, number, &arena, &chunk) &&
                (chunk.n == 0 || add_chunk(ledger, number, &chunk, &arena));
    *ret_rows = (int)chunk.n;
    arena_done(&arena);
    return done;
}
