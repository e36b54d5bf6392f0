/* SPDX-License-Identifier: Apache-2.0
 *
 * The flags of frameq-broker (settings.c), as conf_load takes them.
 */
#ifndef FRAMEQ_BROKER_SETTINGS_H
#define FRAMEQ_BROKER_SETTINGS_H

#include "common/app/conf.h"

extern const struct conf_program broker_program;

/* settings_keep_ms returns --keep in milliseconds; 0: for ever. */
int64_t settings_keep_ms(const struct conf *conf);

/* settings_lanes reads LOW-HIGH (checked before). */
void settings_lanes(const char *value, int *ret_low, int *ret_high);

#endif
