/* SPDX-License-Identifier: Apache-2.0
 *
 * OpenEXR by OpenEXRCore: every chunk of every part is found, read and
 * decompressed; deep parts by their header only. A table of chunks that was
 * never written is a failure here, not something to reconstruct, and so is a
 * header with anything wrong in it. The thumbnail shows the first R, G, B it
 * meets, as sRGB.
 */
#include <ImfCRgbaFile.h>
#include <errno.h>
#include <openexr.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/tone.h"

/* Where a channel stands in a line of a chunk: channels follow each other,
 * each with its values of the whole line. */
struct lane {
    bool there;
    size_t before; /* bytes a pixel of the channels before it */
    exr_pixel_type_t type;
};

struct exr {
    struct decode *decode;
    exr_context_t ctx;
    exr_decode_pipeline_t pipe;
    bool pipe_ready;
    int part;
    exr_attr_box2i_t window;
    struct lane lanes[TONE_LANES]; /* R, G, B, A */
    size_t pixel_bytes;            /* of all channels together */
    bool shown;                    /* this part goes to the thumbnail */
    bool was_shown;                /* an earlier one did */
    struct tone tone;
};

static void on_error(exr_const_context_t ctx, exr_result_t code,
                     const char *message)
{
    (void)code;
    void *user = NULL;
    if (exr_get_user_data(ctx, &user) == EXR_ERR_SUCCESS && user)
        decode_fail(user, "%s", message);
}

static int64_t on_read(exr_const_context_t ctx, void *user, void *bytes,
                       uint64_t len, uint64_t offset,
                       exr_stream_error_func_ptr_t fail)
{
    (void)ctx;
    (void)fail;
    struct decode *decode = user;
    size_t done = 0;
    while (done < len) {
        const ssize_t n = pread(fileno(decode->file), (char *)bytes + done,
                                len - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (int64_t)done;
}

static int64_t on_size(exr_const_context_t ctx, void *user)
{
    (void)ctx;
    const struct decode *decode = user;
    return (int64_t)decode->bytes;
}

static size_t value_bytes(exr_pixel_type_t type)
{
    return type == EXR_PIXEL_HALF ? 2 : 4;
}

/* Finds channel prefix+name; the list is short. */
static struct lane lane_find(const exr_attr_chlist_t *list, const char *prefix,
                             size_t prefix_len, char name)
{
    struct lane lane = {0};
    for (int i = 0; i < list->num_channels && !lane.there; i++) {
        const exr_attr_chlist_entry_t *entry = &list->entries[i];
        const char *have = entry->name.str;
        lane.type = entry->pixel_type;
        lane.there = strlen(have) == prefix_len + 1 &&
                     have[prefix_len] == name &&
                     strncmp(have, prefix, prefix_len) == 0;
        if (!lane.there)
            lane.before += value_bytes(lane.type);
    }
    return lane;
}

static bool lanes_find(struct exr *exr, const exr_attr_chlist_t *list,
                       const char *red)
{
    const size_t len = strlen(red);
    if (len == 0 || red[len - 1] != 'R')
        return false;
    for (int i = 0; i < TONE_LANES; i++)
        exr->lanes[i] = lane_find(list, red, len - 1, "RGBA"[i]);
    return exr->lanes[1].there && exr->lanes[2].there;
}

static bool lanes_choose(struct exr *exr, const exr_attr_chlist_t *list)
{
    exr->pixel_bytes = 0;
    for (int i = 0; i < list->num_channels; i++) {
        const exr_attr_chlist_entry_t *entry = &list->entries[i];
        if (entry->x_sampling != 1 || entry->y_sampling != 1)
            return false;
        exr->pixel_bytes += value_bytes(entry->pixel_type);
    }
    for (int i = 0; i < list->num_channels; i++)
        if (lanes_find(exr, list, list->entries[i].name.str))
            return true;
    return false;
}

static float value_read(const struct lane *lane, const uint8_t *line,
                        int32_t width, int32_t x)
{
    const uint8_t *at = line + lane->before * (size_t)width +
                        value_bytes(lane->type) * (size_t)x;
    uint16_t half = 0;
    float value = 0;
    if (lane->type == EXR_PIXEL_HALF) {
        memcpy(&half, at, sizeof half);
        return ImfHalfToFloat(half);
    }
    if (lane->type == EXR_PIXEL_FLOAT)
        memcpy(&value, at, sizeof value);
    return value;
}

static void line_show(struct exr *exr, const uint8_t *line,
                      const exr_chunk_info_t *chunk, int32_t x, int32_t y)
{
    for (int32_t i = 0; i < chunk->width; i++) {
        float rgba[TONE_LANES] = {0, 0, 0, 1};
        for (int at = 0; at < TONE_LANES; at++)
            if (exr->lanes[at].there)
                rgba[at] = value_read(&exr->lanes[at], line, chunk->width, i);
        tone_pixels(&exr->tone, exr->decode, x + i, y, 1, rgba);
    }
}

/* Unpacks by itself: the library's own way from half to float gives wrong
 * values for some layouts (3.1.5). */
static void chunk_show(struct exr *exr, const exr_chunk_info_t *chunk,
                       int32_t x, int32_t y)
{
    const uint8_t *bytes = exr->pipe.unpacked_buffer ? exr->pipe.unpacked_buffer
                                                     : exr->pipe.packed_buffer;
    const size_t stride = exr->pixel_bytes * (size_t)chunk->width;
    if (!exr->shown || stride * (size_t)chunk->height > chunk->unpacked_size)
        return;
    for (int32_t row = 0; row < chunk->height; row++)
        line_show(exr, bytes + stride * (size_t)row, chunk, x, y + row);
}

static bool chunk_ready(struct exr *exr, const exr_chunk_info_t *chunk)
{
    if (exr->pipe_ready)
        return exr_decoding_update(exr->ctx, exr->part, chunk, &exr->pipe) ==
               EXR_ERR_SUCCESS;
    if (exr_decoding_initialize(exr->ctx, exr->part, chunk, &exr->pipe) !=
        EXR_ERR_SUCCESS)
        return false;
    exr->pipe_ready = true;
    const bool chosen = exr_decoding_choose_default_routines(
                            exr->ctx, exr->part, &exr->pipe) == EXR_ERR_SUCCESS;
    exr->pipe.unpack_and_convert_fn = NULL; /* see chunk_show */
    return chosen;
}

static bool chunk_decode(struct exr *exr, const exr_chunk_info_t *chunk)
{
    if (chunk->unpacked_size > LIMIT_PICTURE ||
        chunk->packed_size > exr->decode->bytes)
        return decode_fail(exr->decode, "has chunks of no sensible size");
    return chunk_ready(exr, chunk) &&
           exr_decoding_run(exr->ctx, exr->part, &exr->pipe) == EXR_ERR_SUCCESS;
}

static bool lines_decode(struct exr *exr)
{
    int32_t lines = 0;
    if (exr_get_scanlines_per_chunk(exr->ctx, exr->part, &lines) !=
            EXR_ERR_SUCCESS ||
        lines < 1)
        return false;
    for (int64_t y = exr->window.min.y; y <= exr->window.max.y; y += lines) {
        exr_chunk_info_t chunk;
        if (exr_read_scanline_chunk_info(exr->ctx, exr->part, (int)y, &chunk) !=
                EXR_ERR_SUCCESS ||
            !chunk_decode(exr, &chunk))
            return false;
        chunk_show(exr, &chunk, 0, (int32_t)(y - exr->window.min.y));
    }
    return true;
}

static bool level_decode(struct exr *exr, int level_x, int level_y)
{
    int32_t tile_w = 0;
    int32_t tile_h = 0;
    int32_t width = 0;
    int32_t height = 0;
    if (exr_get_tile_sizes(exr->ctx, exr->part, level_x, level_y, &tile_w,
                           &tile_h) != EXR_ERR_SUCCESS ||
        exr_get_level_sizes(exr->ctx, exr->part, level_x, level_y, &width,
                            &height) != EXR_ERR_SUCCESS ||
        tile_w < 1 || tile_h < 1)
        return false;
    for (int32_t y = 0; (int64_t)y * tile_h < height; y++)
        for (int32_t x = 0; (int64_t)x * tile_w < width; x++) {
            exr_chunk_info_t chunk;
            if (exr_read_tile_chunk_info(exr->ctx, exr->part, x, y, level_x,
                                         level_y, &chunk) != EXR_ERR_SUCCESS ||
                !chunk_decode(exr, &chunk))
                return false;
            if (level_x == 0 && level_y == 0)
                chunk_show(exr, &chunk, x * tile_w, y * tile_h);
        }
    return true;
}

static bool tiles_decode(struct exr *exr)
{
    uint32_t width = 0;
    uint32_t height = 0;
    int32_t levels_x = 0;
    int32_t levels_y = 0;
    exr_tile_level_mode_t mode = EXR_TILE_ONE_LEVEL;
    exr_tile_round_mode_t rounding = EXR_TILE_ROUND_DOWN;
    if (exr_get_tile_descriptor(exr->ctx, exr->part, &width, &height, &mode,
                                &rounding) != EXR_ERR_SUCCESS ||
        exr_get_tile_levels(exr->ctx, exr->part, &levels_x, &levels_y) !=
            EXR_ERR_SUCCESS)
        return false;
    for (int y = 0; y < levels_y; y++)
        for (int x = 0; x < levels_x; x++)
            if ((mode == EXR_TILE_RIPMAP_LEVELS || x == y) &&
                !level_decode(exr, x, y))
                return false;
    return true;
}

static bool window_check(struct exr *exr)
{
    const int64_t width = (int64_t)exr->window.max.x - exr->window.min.x + 1;
    const int64_t height = (int64_t)exr->window.max.y - exr->window.min.y + 1;
    if (exr->part == 0)
        return decode_begin(exr->decode, width, height);
    return (width >= 1 && height >= 1 && width <= LIMIT_PIXELS &&
            height <= LIMIT_PIXELS) ||
           decode_fail(exr->decode, "has a part of no sensible size");
}

static bool part_describe(struct exr *exr, exr_storage_t *ret_storage)
{
    const exr_attr_chlist_t *list = NULL;
    if (exr_get_storage(exr->ctx, exr->part, ret_storage) != EXR_ERR_SUCCESS ||
        exr_get_data_window(exr->ctx, exr->part, &exr->window) !=
            EXR_ERR_SUCCESS ||
        exr_get_channels(exr->ctx, exr->part, &list) != EXR_ERR_SUCCESS ||
        !window_check(exr))
        return false;
    const bool flat = *ret_storage == EXR_STORAGE_SCANLINE ||
                      *ret_storage == EXR_STORAGE_TILED;
    exr->shown = exr->decode->thumb && flat && !exr->was_shown &&
                 lanes_choose(exr, list);
    return true;
}

static bool part_decode(struct exr *exr)
{
    exr_storage_t storage = EXR_STORAGE_LAST_TYPE;
    if (!part_describe(exr, &storage))
        return false;
    bool whole = true;
    if (storage == EXR_STORAGE_SCANLINE)
        whole = lines_decode(exr);
    else if (storage == EXR_STORAGE_TILED)
        whole = tiles_decode(exr);
    if (exr->pipe_ready)
        exr_decoding_destroy(exr->ctx, &exr->pipe);
    exr->pipe_ready = false;
    exr->pipe = (exr_decode_pipeline_t)EXR_DECODE_PIPELINE_INITIALIZER;
    exr->was_shown |= exr->shown;
    return whole;
}

/* Whether a part is packed in a way OpenEXRCore does not know. */
static bool needs_rgba(const struct exr *exr)
{
    exr_compression_t packing = EXR_COMPRESSION_NONE;
    return exr_get_compression(exr->ctx, 0, &packing) == EXR_ERR_SUCCESS &&
           (packing == EXR_COMPRESSION_DWAA || packing == EXR_COMPRESSION_DWAB);
}

static bool parts_decode(struct exr *exr)
{
    int parts = 0;
    if (exr_get_count(exr->ctx, &parts) != EXR_ERR_SUCCESS || parts < 1)
        return decode_fail(exr->decode, "has no parts");
    if (needs_rgba(exr)) {
        exr->was_shown = exr->decode->thumb != NULL;
        return exr_rgba_decode(exr->decode);
    }
    for (exr->part = 0; exr->part < parts; exr->part++)
        if (!part_decode(exr))
            return decode_fail(exr->decode, "is damaged or ends too early");
    return true;
}

bool exr_decode(struct decode *decode)
{
    struct exr *exr = mem_new(sizeof *exr);
    exr->decode = decode;
    tone_init(&exr->tone);
    exr_context_initializer_t init = EXR_DEFAULT_CONTEXT_INITIALIZER;
    init.error_handler_fn = on_error;
    init.user_data = decode;
    init.read_fn = on_read;
    init.size_fn = on_size;
    init.max_image_width = (int)LIMIT_PIXELS;
    init.max_image_height = (int)LIMIT_PIXELS;
    init.flags = EXR_CONTEXT_FLAG_STRICT_HEADER |
                 EXR_CONTEXT_FLAG_DISABLE_CHUNK_RECONSTRUCTION;
    bool whole = exr_start_read(&exr->ctx, "picture", &init) == EXR_ERR_SUCCESS;
    if (whole)
        whole = parts_decode(exr);
    else
        decode_fail(decode, "has no header");
    exr_finish(&exr->ctx);
    if (!exr->was_shown)
        decode_no_thumb(decode);
    mem_free(exr);
    return whole;
}
