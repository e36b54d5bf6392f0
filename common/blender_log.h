/* SPDX-License-Identifier: Apache-2.0
 *
 * What lines that Blender prints say of failures: words measured on Blender
 * 3.4. Hints, never proof of anything.
 */
#ifndef FRAMEQ_COMMON_BLENDER_LOG_H
#define FRAMEQ_COMMON_BLENDER_LOG_H

#include <stddef.h>

#include "common/fault.h"

#define BLENDER_ERROR "Error: " /* what a line of an error begins with */

/* blender_line_fault returns the failure that a line talks of, or FAULT_NONE.
 */
enum fault blender_line_fault(const char *line);

/* blender_first_error returns the number, from 1, of the first line of n bytes
 * of a log that tells of an error, where it stands in *ret_at (NULL: not
 * wanted); 0: none does. */
size_t blender_first_error(const char *log, size_t n, const char **ret_at);

#endif
