/* SPDX-License-Identifier: Apache-2.0
 *
 * Any body of a submit is a job or is refused with a reason; a job that was
 * taken fits into a record of the ledger and reads from there as it was.
 */
#include "broker/people/jobspec.h"

#include <assert.h>
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "broker/ledger/record.h"
#include "common/limits.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_json(const char *text, size_t most)
{
    json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert(json_is_object(object) && strlen(text) <= most);
    json_decref(object);
}

static void check_record(struct job_spec *spec, struct arena *arena)
{
    struct event event = {.type = EVENT_SUBMITTED, .spec = spec}, again;
    struct buf record;
    char why[LIMIT_REASON];
    spec->id = "0123456789abcdef";
    buf_init(&record, LIMIT_RECORD);
    record_encode(&event, &record);
    assert(!record.over);
    assert(
        record_decode(record.data, record.len, arena, &again, why, sizeof why));
    assert(frames_equal(&spec->frames, &again.spec->frames));
    assert(strcmp(spec->doc, again.spec->doc) == 0);
    buf_free(&record);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static struct arena arena;
    struct job_spec spec;
    char why[LIMIT_REASON] = "";
    arena_reset(&arena);
    if (jobspec_read((const char *)bytes, len, &arena, &spec, why,
                     sizeof why)) {
        assert(spec.frames.count > 0);
        check_json(spec.doc, LIMIT_SPEC);
        check_json(spec.render, LIMIT_SPEC);
        check_record(&spec, &arena);
        jobspec_done(&spec);
    } else {
        assert(why[0] != '\0' && text_is_plain(why, strlen(why)));
    }
    return 0;
}
