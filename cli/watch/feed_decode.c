/* SPDX-License-Identifier: Apache-2.0
 *
 * msgpack to JSON. Pure. Refuses what JSON cannot hold.
 */
#include <msgpack.h>

#include "cli/watch/feed.h"
#include "common/limits.h"

static json_t *value_of(const msgpack_object *object, int depth);

static json_t *array_of(const msgpack_object_array *array, int depth)
{
    json_t *list = json_array();
    for (uint32_t i = 0; i < array->size; i++)
        if (json_array_append_new(list, value_of(&array->ptr[i], depth)) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *map_of(const msgpack_object_map *map, int depth)
{
    json_t *object = json_object();
    for (uint32_t i = 0; i < map->size; i++) {
        const msgpack_object *key = &map->ptr[i].key;
        json_t *name =
            key->type == MSGPACK_OBJECT_STR ? value_of(key, depth) : NULL;
        json_t *value = value_of(&map->ptr[i].val, depth);
        int failed =
            json_object_set_new(object, json_string_value(name), value);
        json_decref(name);
        if (failed != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

static json_t *value_of(const msgpack_object *object, int depth)
{
    if (depth > LIMIT_JSON_DEPTH)
        return NULL;
    switch (object->type) {
    case MSGPACK_OBJECT_NIL:
        return json_null();
    case MSGPACK_OBJECT_BOOLEAN:
        return json_boolean(object->via.boolean);
    case MSGPACK_OBJECT_POSITIVE_INTEGER:
        return object->via.u64 > INT64_MAX
                   ? NULL
                   : json_integer((json_int_t)object->via.u64);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER:
        return json_integer(object->via.i64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64:
        return json_real(object->via.f64); /* NULL for NaN and infinity */
    case MSGPACK_OBJECT_STR:
        return json_stringn(object->via.str.ptr, object->via.str.size);
    case MSGPACK_OBJECT_ARRAY:
        return array_of(&object->via.array, depth + 1);
    case MSGPACK_OBJECT_MAP:
        return map_of(&object->via.map, depth + 1);
    case MSGPACK_OBJECT_BIN:
    case MSGPACK_OBJECT_EXT:
    default:
        return NULL;
    }
}

json_t *feed_decode(const void *bytes, size_t len)
{
    json_t *value = NULL;
    size_t used = 0;
    msgpack_unpacked whole;
    msgpack_unpacked_init(&whole);
    if (msgpack_unpack_next(&whole, bytes, len, &used) ==
            MSGPACK_UNPACK_SUCCESS &&
        used == len && whole.data.type == MSGPACK_OBJECT_MAP)
        value = value_of(&whole.data, 0);
    msgpack_unpacked_destroy(&whole);
    return value;
}
