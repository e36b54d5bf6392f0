/* SPDX-License-Identifier: Apache-2.0
 *
 * The flags of `frameq submit` and the JSON they make. Pure: checks no value
 * that the broker checks.
 */
#ifndef FRAMEQ_CLI_SEND_SUBMIT_BODY_H
#define FRAMEQ_CLI_SEND_SUBMIT_BODY_H

#include <jansson.h>

#include "common/app/conf.h"

extern const struct setting submit_settings[];
extern const size_t submit_settings_n;

/* submit_body makes the body of POST /v1/jobs from the flags alone; the caller
 * adds what needs the machine or the broker (blend, user, depends_on). Owned.
 */
json_t *submit_body(const struct conf *conf);

#endif
