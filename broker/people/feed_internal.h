/* SPDX-License-Identifier: Apache-2.0
 *
 * The feed as main.c and loop.c see it.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_FEED_INTERNAL_H
#define FRAMEQ_BROKER_PEOPLE_FEED_INTERNAL_H

#include "broker/broker_internal.h"
#include "broker/people/feed.h"

/* feed_open binds tcp://host:port; key: the broker's secret key, NULL: anybody
 * may subscribe. NULL with the reason in why. */
struct feed *feed_open(const char *host, int port, const char *key, char *why,
                       size_t size);

/* feed_start gives it its broker, whose events it projects from now on. */
void feed_start(struct feed *feed, struct broker *broker);
void feed_close(struct feed **feed);

/* feed_socket is to be watched for input (subscriptions); feed_read takes it,
 * and comes first in a turn: who has subscribed gets what the turn publishes.
 */
void *feed_socket(const struct feed *feed);
void feed_read(struct feed *feed);

/* feed_settle tells the listener of what was added this turn. */
void feed_settle(struct feed *feed);

#endif
