/* SPDX-License-Identifier: Apache-2.0
 *
 * PNG by libpng: every chunk with its checksum, every row, up to IEND. A row
 * at a time, so the size of a picture costs no memory.
 */
#include <png.h>
#include <setjmp.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/decode.h"

struct png_state {
    png_structp png;
    png_infop info;
    uint8_t *row;
};

static void on_error(png_structp png, png_const_charp message)
{
    decode_fail(png_get_error_ptr(png), "%s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    (void)png;
    (void)message;
}

/* The library makes room for as much as a chunk claims to have before it reads
 * it; its own limit for that only warns. */
static png_voidp on_alloc(png_structp png, png_alloc_size_t n)
{
    (void)png;
    return n <= LIMIT_PNG_PIECE ? mem_grow(NULL, 1, n) : NULL;
}

static void on_free(png_structp png, png_voidp bytes)
{
    (void)png;
    mem_free(bytes);
}

static void on_read(png_structp png, png_bytep bytes, size_t n)
{
    struct decode *decode = png_get_io_ptr(png);
    if (fread(bytes, 1, n, decode->file) != n)
        png_error(png, "the file ends before its last chunk");
}

/* Whatever the file holds, rows come as RGBA, 8 bits each. */
static int rgba_ask(struct png_state *state)
{
    png_set_expand(state->png);
    png_set_scale_16(state->png);
    png_set_gray_to_rgb(state->png);
    png_set_add_alpha(state->png, 0xff, PNG_FILLER_AFTER);
    const int passes = png_set_interlace_handling(state->png);
    png_read_update_info(state->png, state->info);
    return passes;
}

static bool rows_read(struct decode *decode, struct png_state *state)
{
    const int passes = rgba_ask(state);
    if (passes > 1)
        decode_no_thumb(decode); /* its rows are whole only at the last pass */
    state->row = mem_new(png_get_rowbytes(state->png, state->info));
    for (int pass = 0; pass < passes; pass++)
        for (int32_t y = 0; y < decode->height; y++) {
            png_read_row(state->png, state->row, NULL);
            decode_pixels(decode, 0, y, decode->width, state->row);
        }
    png_read_end(state->png, NULL);
    return true;
}

static bool file_read(struct decode *decode, struct png_state *state)
{
    if (setjmp(png_jmpbuf(state->png)))
        return false;
    png_set_read_fn(state->png, decode, on_read);
    png_set_crc_action(state->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_set_user_limits(state->png, LIMIT_PIXELS, LIMIT_PIXELS);
    png_read_info(state->png, state->info);
    return decode_begin(decode, png_get_image_width(state->png, state->info),
                        png_get_image_height(state->png, state->info)) &&
           rows_read(decode, state);
}

bool png_decode(struct decode *decode)
{
    struct png_state state = {
        .png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, decode, on_error,
                                        on_warning, NULL, on_alloc, on_free),
    };
    if (!state.png)
        return decode_fail(decode, "no memory");
    state.info = png_create_info_struct(state.png);
    const bool whole = state.info && file_read(decode, &state);
    png_destroy_read_struct(&state.png, &state.info, NULL);
    mem_free(state.row);
    return whole;
}
