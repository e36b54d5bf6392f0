/* SPDX-License-Identifier: Apache-2.0
 *
 * A walk over a JSON value that msgpack-c writes out as it goes.
 */
#include "broker/views/feed_pack.h"

#include <msgpack.h>

static int pack_write(void *data, const char *bytes, size_t n)
{
    return buf_add(data, bytes, n) ? 0 : -1;
}

static void pack_value(msgpack_packer *packer, const json_t *json);

static void pack_text(msgpack_packer *packer, const char *text, size_t len)
{
    msgpack_pack_str(packer, len);
    msgpack_pack_str_body(packer, text, len);
}

static void pack_object(msgpack_packer *packer, const json_t *json)
{
    json_t *object = (json_t *)(uintptr_t)json; /* iterating takes no const */
    msgpack_pack_map(packer, json_object_size(json));
    for (void *at = json_object_iter(object); at;
         at = json_object_iter_next(object, at)) {
        const char *key = json_object_iter_key(at);
        pack_text(packer, key, strlen(key));
        pack_value(packer, json_object_iter_value(at));
    }
}

static void pack_array(msgpack_packer *packer, const json_t *json)
{
    msgpack_pack_array(packer, json_array_size(json));
    for (size_t i = 0; i < json_array_size(json); i++)
        pack_value(packer, json_array_get(json, i));
}

static void pack_value(msgpack_packer *packer, const json_t *json)
{
    if (json_is_object(json))
        pack_object(packer, json);
    else if (json_is_array(json))
        pack_array(packer, json);
    else if (json_is_string(json))
        pack_text(packer, json_string_value(json), json_string_length(json));
    else if (json_is_integer(json))
        msgpack_pack_int64(packer, json_integer_value(json));
    else if (json_is_real(json))
        msgpack_pack_double(packer, json_real_value(json));
    else if (json_is_true(json))
        msgpack_pack_true(packer);
    else if (json_is_false(json))
        msgpack_pack_false(packer);
    else
        msgpack_pack_nil(packer);
}

void feed_pack(const json_t *json, struct buf *out)
{
    msgpack_packer packer;
    msgpack_packer_init(&packer, out, pack_write);
    pack_value(&packer, json);
}
