/* SPDX-License-Identifier: Apache-2.0
 *
 * W3C Trace Context: one line of text, "00-<trace>-<span>-<flags>", that leads
 * from a request over the broker, an agent and a node to Blender, so that a
 * studio's own tracing finds them all. Whoever passes it on puts a span of his
 * own in the place of the one he was given. frameq sends no spans anywhere.
 */
#ifndef FRAMEQ_COMMON_APP_TRACE_H
#define FRAMEQ_COMMON_APP_TRACE_H

#include <stdbool.h>

#include "common/limits.h"

#define TRACE_SIZE  (LIMIT_TRACE + 1)
#define TRACE_WORDS 64

/* trace_read takes a traceparent header, of any version, into ret as version 00
 * without flags but the sampled one. False, and ret is "", for NULL and what is
 * none: who sent that is not traced (W3C has it ignored). */
bool trace_read(const char *header, char ret[TRACE_SIZE]);

/* trace_child is trace_read with a new span. */
bool trace_child(const char *parent, char ret[TRACE_SIZE]);

/* trace_words returns " trace=<32 hex digits> span=<16>" for a line of the log;
 * "" where trace is NULL or "". */
const char *trace_words(const char *trace, char ret[TRACE_WORDS]);

#endif
