/* SPDX-License-Identifier: Apache-2.0
 *
 * Any body of POST /job is a job for the node or is refused with a reason. The
 * first byte chooses what the node allows.
 */
#include "node/spec.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_order(const struct spec *spec)
{
    json_t *order = spec_order(spec, "auto");
    const char *output = json_string_value(json_object_get(order, "output"));
    assert(output != NULL && strcmp(output, spec->output) == 0);
    json_decref(order);
}

/* Dots within a name ("a..b") are well; a step upwards is not. */
static bool climbs(const char *path)
{
    const char *at = path;
    while ((at = strstr(at, "..")) != NULL) {
        if ((at == path || at[-1] == '/') && (at[2] == '/' || at[2] == '\0'))
            return true;
        at += 2;
    }
    return false;
}

static void check_spec(const struct spec *spec, const struct spec_rules *rules)
{
    assert(spec->frames.count > 0);
    assert(spec->blend != NULL && spec->blend[0] == '/');
    assert(spec->folder != NULL && strpbrk(spec->folder, "/.") == NULL);
    assert(spec->output[0] != '/' && !climbs(spec->output));
    assert(spec->timeout_ms >= 0 && spec->silence_ms >= 0);
    assert(rules->scripts || !spec->scripts);
    check_order(spec);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const char *const roots[] = {"/proc/self"};
    uint8_t allowed = len > 0 ? bytes[0] : 0;
    const struct spec_rules rules = {.blend = allowed & 1 ? "/a.blend" : NULL,
                                     .roots = roots,
                                     .roots_n = allowed & 2 ? 1 : 0,
                                     .scripts = (allowed & 4) != 0};
    struct spec spec;
    char why[LIMIT_REASON] = "";
    if (len > 0 && spec_parse((const char *)bytes + 1, len - 1, &rules, &spec,
                              why, sizeof why)) {
        check_spec(&spec, &rules);
        spec_done(&spec);
    } else if (len > 0) {
        assert(why[0] != '\0' && text_is_plain(why, strlen(why)));
    }
    return 0;
}
