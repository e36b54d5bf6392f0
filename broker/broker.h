/* SPDX-License-Identifier: Apache-2.0
 *
 * The broker's middle: the only door into the core, and the two gates out of
 * it. Adapters (http.c, link.c, feed.c) turn what comes in into commands for
 * broker_do, and never call each other.
 *
 *   answers  leave in order, once the last durable event they can show is
 *            committed: broker_answer
 *   orders   leave at once (BATCH, REVOKE, TRIM); the core grants nothing of a
 *            job whose SUBMITTED is not committed
 */
#ifndef FRAMEQ_BROKER_BROKER_H
#define FRAMEQ_BROKER_BROKER_H

#include "broker/core/core.h"
#include "broker/ledger/store.h"

struct broker;

/* Why a peer was not let in, or was not listened to (refused.def). */
enum refused {
#define REFUSED(name, word) REFUSED_##name,
#include "broker/refused.def"
    REFUSED_COUNT
};

/* What a broker serves from; set once before the loop starts. */
struct broker_facts {
    int http_port, status_port, control_port, feed_port;
    uint64_t epoch;
    int64_t start_ms;
    bool results_keep;
    const char *data_dir;
};

/* broker_do passes a command to core_step at the turn's `now`, appends its
 * durable and lazy events to the ledger and projects all of them. Returns
 * core_step's answer; why may be NULL. */
enum rc broker_do(struct broker *broker, const struct cmd *cmd, char *why,
                  size_t size);

/* broker_answer calls send(ctx) as soon as everything appended so far is
 * committed: at once when it is, later in order otherwise. When the ledger is
 * broken it is never called; what then still waits at the end is given to
 * drop(ctx), which only releases it (NULL: not ours). broker_unanswer takes
 * back those of a ctx. */
void broker_answer(struct broker *broker, void (*send)(void *ctx),
                   void (*drop)(void *ctx), void *ctx);
void broker_unanswer(struct broker *broker, void *ctx);

/* broker_watch calls changed(ctx, job) after every turn in which a job changed
 * (its revision grew), once per job and turn; NULL job: a farm-wide change.
 * One watcher an adapter. */
typedef void broker_changed(void *ctx, const char *job);
void broker_watch(struct broker *broker, broker_changed *changed, void *ctx);

/* broker_note adds to the activity what is no event of the core: what was done
 * to an agent's key, by whom. */
void broker_note(struct broker *broker, const char *what, const char *agent,
                 const char *who);

/* broker_refused counts n peers or messages for /metrics; broker_refusals tells
 * how many there were. refused_word is the word of a reason. */
void broker_refused(struct broker *broker, enum refused why, uint64_t n);
uint64_t broker_refusals(const struct broker *broker, enum refused why);
const char *refused_word(enum refused why);

const struct core *broker_core(const struct broker *broker);
struct store *broker_store(const struct broker *broker);
struct arena *broker_arena(struct broker *broker); /* reset every turn */
const struct broker_facts *broker_facts(const struct broker *broker);
int64_t broker_now(const struct broker *broker);
bool broker_draining(const struct broker *broker); /* SIGTERM came */

#endif
