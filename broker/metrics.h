/* SPDX-License-Identifier: Apache-2.0
 *
 * /metrics: what the core shows now, as gauges in Prometheus' text format
 * 0.0.4. Counters are meter.h's.
 */
#ifndef FRAMEQ_BROKER_METRICS_H
#define FRAMEQ_BROKER_METRICS_H

#include "broker/core/state.h"
#include "common/buf.h"

/* metrics_write appends the gauges of a farm as it is at now_ms. */
void metrics_write(const struct core *core, int64_t now_ms, struct buf *out);

/* metrics_write_process appends those of this process. */
void metrics_write_process(int64_t start_ms, struct buf *out);

#endif
