/* SPDX-License-Identifier: Apache-2.0
 *
 * Small facts about addresses that several programs need.
 */
#ifndef FRAMEQ_COMMON_APP_NET_H
#define FRAMEQ_COMMON_APP_NET_H

#include <stdbool.h>

/* net_is_loopback tells whether host is localhost, 127.0.0.0/8 or ::1. */
bool net_is_loopback(const char *host);

#endif
