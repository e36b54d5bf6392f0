/* SPDX-License-Identifier: Apache-2.0
 *
 * The inside of the broker that main.c and loop.c wire: what an adapter never
 * sees.
 */
#ifndef FRAMEQ_BROKER_BROKER_INTERNAL_H
#define FRAMEQ_BROKER_BROKER_INTERNAL_H

#include "broker/broker.h"

/* broker_new takes the core (replayed) and the store (begun), borrows facts. */
struct broker *broker_new(struct core *core, struct store *store,
                          const struct broker_facts *facts);

/* broker_free releases the core with it and nulls; the store stays. */
void broker_free(struct broker **broker);

/* A projector sees every event of a step, in order, right after the step: the
 * link sends orders and queues acknowledgements, the feed queues what people
 * see, HTTP counts frames. At most BROKER_PROJECTORS of them. */
#define BROKER_PROJECTORS 3
typedef void broker_projector(void *ctx, const struct event *event);
void broker_project(struct broker *broker, broker_projector *project,
                    void *ctx);

/* broker_turn begins a turn of the loop: one `now`, an empty arena. */
void broker_turn(struct broker *broker, int64_t now_ms);

/* broker_settle takes the ledger's news, opens what it gated, and runs the tick
 * when it is due. broker_report ends a turn: the watchers hear what changed. */
void broker_settle(struct broker *broker);
void broker_report(struct broker *broker);

/* broker_next returns when broker_settle must run at the latest, as now_ms. */
int64_t broker_next(const struct broker *broker);

/* broker_drain: SIGTERM came. broker_waiting tells whether answers still wait
 * for the ledger. */
void broker_drain(struct broker *broker);
bool broker_waiting(const struct broker *broker);

#endif
