/* SPDX-License-Identifier: Apache-2.0
 *
 * What frameq doctor found: each finding is a pair of lines, what is wrong and
 * what to do about it. Pure: collects and shows, looks at nothing.
 */
#ifndef FRAMEQ_CLI_DOCTOR_FINDING_H
#define FRAMEQ_CLI_DOCTOR_FINDING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/term.h"
#include "common/buf.h"

enum finding_kind { /* finding.def */
#define FINDING(name, word) FINDING_##name,
#include "cli/doctor/finding.def"
#undef FINDING
};

struct finding {
    enum finding_kind kind;
    bool note;       /* worth knowing, and no fault */
    struct buf what; /* one line without its end, as is mend */
    struct buf mend;
    size_t order;         /* of being found */
    struct finding *next; /* utlist */
};

struct findings {
    struct finding *first;
    size_t n, faults;
    struct buf well; /* what was looked at and is well, "broker, clock" */
};

void findings_init(struct findings *findings);
void findings_done(struct findings *findings);

/* finding_add adds a fault, finding_note what is none; the caller fills what
 * and mend. Valid until findings_done. */
struct finding *finding_add(struct findings *findings, enum finding_kind kind);
struct finding *finding_note(struct findings *findings, enum finding_kind kind);

/* findings_well notes that something is well, in a few words. */
void findings_well(struct findings *findings, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* findings_write appends all of it, the worst first, then what is well in one
 * line. findings_json is the same for programs, owned. */
void findings_write(struct findings *findings, const struct term *term,
                    struct buf *out);
json_t *findings_json(struct findings *findings);

#endif
