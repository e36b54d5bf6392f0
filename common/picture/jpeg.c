/* SPDX-License-Identifier: Apache-2.0
 *
 * JPEG by libjpeg-turbo. Its decoder fills what is missing with grey and only
 * warns, so a warning about the data counts as failure here.
 */
#include <stdio.h>

#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/picture/decode.h"

/* libjpeg hands back its error manager, which is the first member here. */
struct jpeg_state {
    struct jpeg_error_mgr errors;
    jmp_buf jump;
    struct decode *decode; /* NULL while encoding */
    uint8_t *row;
    unsigned char *out;
    unsigned long out_len;
};

static void on_error(j_common_ptr any)
{
    struct jpeg_state *state = (struct jpeg_state *)any->err;
    char message[JMSG_LENGTH_MAX];
    any->err->format_message(any, message);
    if (state->decode)
        decode_fail(state->decode, "%s", message);
    longjmp(state->jump, 1);
}

static void on_message(j_common_ptr any, int level)
{
    if (level < 0)
        on_error(any);
}

static void errors_init(struct jpeg_state *state)
{
    jpeg_std_error(&state->errors);
    state->errors.error_exit = on_error;
    state->errors.emit_message = on_message;
}

static void rows_read(struct jpeg_decompress_struct *jpeg,
                      struct jpeg_state *state)
{
    struct decode *decode = state->decode;
    const bool four_inks = jpeg->out_color_space == JCS_CMYK;
    if (four_inks)
        decode_no_thumb(decode);
    else
        jpeg->out_color_space = JCS_EXT_RGBA;
    jpeg_start_decompress(jpeg);
    state->row = mem_new((size_t)jpeg->output_width * 4);
    while (jpeg->output_scanline < jpeg->output_height) {
        const int32_t y = (int32_t)jpeg->output_scanline;
        jpeg_read_scanlines(jpeg, &state->row, 1);
        decode_pixels(decode, 0, y, decode->width, state->row);
    }
    jpeg_finish_decompress(jpeg);
}

static bool file_read(struct jpeg_decompress_struct *jpeg,
                      struct jpeg_state *state)
{
    if (setjmp(state->jump))
        return false;
    jpeg_create_decompress(jpeg);
    jpeg->mem->max_memory_to_use = LIMIT_PICTURE;
    jpeg_stdio_src(jpeg, state->decode->file);
    jpeg_read_header(jpeg, TRUE);
    if (!decode_begin(state->decode, jpeg->image_width, jpeg->image_height))
        return false;
    rows_read(jpeg, state);
    return true;
}

bool jpeg_decode(struct decode *decode)
{
    struct jpeg_decompress_struct jpeg = {0};
    struct jpeg_state state = {.decode = decode};
    errors_init(&state);
    jpeg.err = &state.errors;
    const bool whole = file_read(&jpeg, &state);
    jpeg_destroy_decompress(&jpeg);
    mem_free(state.row);
    return whole;
}

static bool rows_write(struct jpeg_compress_struct *jpeg,
                       struct jpeg_state *state, const uint8_t *rgb,
                       int quality)
{
    if (setjmp(state->jump))
        return false;
    jpeg_mem_dest(jpeg, &state->out, &state->out_len);
    jpeg_set_defaults(jpeg);
    jpeg_set_quality(jpeg, quality, TRUE);
    jpeg_start_compress(jpeg, TRUE);
    const size_t stride = (size_t)jpeg->image_width * 3;
    while (jpeg->next_scanline < jpeg->image_height) {
        memcpy(state->row, rgb + jpeg->next_scanline * stride, stride);
        jpeg_write_scanlines(jpeg, &state->row, 1);
    }
    jpeg_finish_compress(jpeg);
    return true;
}

unsigned char *jpeg_encode(const uint8_t *rgb, int32_t width, int32_t height,
                           int quality, size_t *ret_len)
{
    struct jpeg_compress_struct jpeg = {0};
    struct jpeg_state state = {.row = mem_new((size_t)width * 3)};
    errors_init(&state);
    jpeg.err = &state.errors;
    jpeg_create_compress(&jpeg);
    jpeg.image_width = (JDIMENSION)width;
    jpeg.image_height = (JDIMENSION)height;
    jpeg.input_components = 3;
    jpeg.in_color_space = JCS_RGB;
    const bool made = rows_write(&jpeg, &state, rgb, quality);
    jpeg_destroy_compress(&jpeg);
    unsigned char *copy = made ? mem_copy(state.out, state.out_len) : NULL;
    *ret_len = made ? state.out_len : 0;
    free(state.out);
    mem_free(state.row);
    return copy;
}
