/* SPDX-License-Identifier: Apache-2.0
 *
 * What opens the farm of `frameq dev --listen` to other machines: a token for
 * people, a key for each agent, and an address that others can reach.
 */
#ifndef FRAMEQ_CLI_DEV_DEV_OPEN_H
#define FRAMEQ_CLI_DEV_DEV_OPEN_H

#include "cli/dev/dev.h"

/* dev_is_open tells whether --listen was given. */
bool dev_is_open(const struct dev *dev);

/* dev_make_token writes a new file of tokens with one of role admin; the
 * secret is in dev->token. Ends the program when it cannot. */
void dev_make_token(struct dev *dev);

/* dev_address writes where others reach the broker, which listens at HOST:PORT:
 * the first address of this machine off loopback where HOST is all of them. */
void dev_address(const char *listens, char *ret, size_t size);

/* dev_key makes a key for an agent of this farm, in the place of one that it
 * has. False when the broker refuses, which is said on stderr. */
bool dev_key(const struct dev *dev, const char *name, char ret[JOIN_SIZE]);

/* dev_guest makes a key for the first guest-N that has none. */
bool dev_guest(const struct dev *dev, char ret[JOIN_SIZE]);

#endif
