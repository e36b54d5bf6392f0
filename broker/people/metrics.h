/* SPDX-License-Identifier: Apache-2.0
 *
 * /metrics: what the core shows now, as gauges, and what the broker's middle
 * counts. Looks at every agent, at no job. Other counters are meter.h's.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_METRICS_H
#define FRAMEQ_BROKER_PEOPLE_METRICS_H

#include "broker/broker.h"
#include "broker/views/exposition.h"

/* metrics_write appends what is known of the farm as it is now. */
void metrics_write(const struct broker *broker, const struct exposition *to);

/* metrics_write_process appends the metrics of this process. */
void metrics_write_process(int64_t start_ms, const struct exposition *to);

#endif
