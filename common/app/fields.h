/* SPDX-License-Identifier: Apache-2.0
 *
 * Strict JSON objects. A table says which fields an object may have and what
 * each must be; anything else is refused with the field's name and the reason.
 * The broker's job fields and the node's /job fields share most rows
 * (render_fields).
 */
#ifndef FRAMEQ_COMMON_APP_FIELDS_H
#define FRAMEQ_COMMON_APP_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct field {
    const char *name;
    /* check returns true when value will do; else writes the reason to why
     * (at most size bytes), as the end of "field `name`: ...". arg is the
     * row's own. */
    bool (*check)(const json_t *value, const void *arg, char *why, size_t size);
    const void *arg;
};

/* field_refuse writes a reason for a check to why and returns false. */
bool field_refuse(char *why, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct field_bounds {
    json_int_t low, high;
};

/* Checks to use in tables. arg of each: */
bool field_text(const json_t *v, const void *max_bytes_size_t, char *why,
                size_t size); /* non-empty UTF-8 without control characters */
bool field_integer(const json_t *v, const void *field_bounds, char *why,
                   size_t size); /* a JSON integer; 1.0, "1", true are not */
bool field_number(const json_t *v, const void *field_bounds, char *why,
                  size_t size); /* integer or real, <= high; >= 0 where low is
                                   0, else > 0 */
bool field_bool(const json_t *v, const void *unused, char *why, size_t size);
bool field_choice(const json_t *v, const void *words, char *why,
                  size_t size); /* const char *const [] ended by NULL */
bool field_texts(const json_t *v, const void *field_bounds, char *why,
                 size_t size); /* array: low = most items, high = bytes each */
bool field_resolution(
    const json_t *v, const void *unused, char *why,
    size_t size); /* "1920x1080" 1..65536 each, "50%" 1..1000 */
bool field_output(const json_t *v, const void *unused, char *why,
                  size_t size); /* relative path, no empty part, none with a
                                   dot first, # in the last, no backslash */

/* fields_parse reads a body as one JSON object: no duplicate keys, no nesting
 * past 32, no bytes after it. Returns it owned, or NULL with the reason in
 * why. */
json_t *fields_parse(const char *body, size_t len, char *why, size_t size);

/* fields_check checks every member of object against the tables given (each
 * ended by a row without name; the list ended by NULL). An unknown field is
 * refused with the nearest known name. why: "unknown field `form` (did you
 * mean `from`?)", "field `from`: must be a whole number, not a string". */
bool fields_check(const json_t *object, const struct field *const *tables,
                  char *why, size_t size);

/* fields_text returns the text of a member, owned by object; "" when there is
 * none or it is no text. */
const char *fields_text(const json_t *object, const char *name);

/* The fields that say what Blender renders, the same at broker and node:
 * blend scene camera view_layers engine samples resolution format output
 * missing_files scripts timeout_seconds silence_seconds. Ended by a row
 * without name. */
extern const struct field render_fields[];

#endif
