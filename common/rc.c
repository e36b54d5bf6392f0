/* SPDX-License-Identifier: Apache-2.0
 *
 * The outcomes of rc.def as tables; knows nothing that is not written there.
 */
#include "common/rc.h"

#include <assert.h>
#include <stddef.h>

static const struct {
    int status;
    const char *title;
} outcomes[] = {
#define RC(name, status, title) {status, title},
#include "common/rc.def"
#undef RC
};

int rc_status(enum rc rc)
{
    assert((size_t)rc < sizeof outcomes / sizeof *outcomes);
    return outcomes[rc].status;
}

const char *rc_title(enum rc rc)
{
    assert((size_t)rc < sizeof outcomes / sizeof *outcomes);
    return outcomes[rc].title;
}
