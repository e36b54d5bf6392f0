/* SPDX-License-Identifier: Apache-2.0
 *
 * Outcomes of a request, one list for every program (rc.def).
 */
#ifndef FRAMEQ_COMMON_RC_H
#define FRAMEQ_COMMON_RC_H

enum rc {
#define RC(name, status, title) RC_##name,
#include "common/rc.def"
#undef RC
};

/* rc_status returns the HTTP status, rc_title the words for people. */
int rc_status(enum rc rc);
const char *rc_title(enum rc rc);

#endif
