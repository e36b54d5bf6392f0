/* SPDX-License-Identifier: Apache-2.0
 *
 * See contest.h.
 */
#include "tests/bench/contest.h"

struct contest contest_of(const struct conf *conf)
{
    return (struct contest){.peer = peer_get(conf_get(conf, "peer")),
                            .rounds = (size_t)conf_number(conf, "rounds")};
}

static void run_round(const struct contest *contest, bool peer_first,
                      struct tally *tally)
{
    double theirs = 0;
    if (peer_first)
        theirs = peer_measure(contest->peer, &contest->load, tally);
    double ours = contest->ours(contest->plan, tally);
    if (contest->peer == NULL)
        return;
    if (!peer_first)
        theirs = peer_measure(contest->peer, &contest->load, tally);
    tally_add(tally, "ratio", 2, theirs > 0 ? ours / theirs : 0);
}

void contest_run(const struct contest *contest, struct tally *tally)
{
    for (size_t i = 0; i < contest->rounds; i++)
        run_round(contest, contest->peer != NULL && i % 2 == 1, tally);
}

void contest_print_json(const struct contest *contest, const char *name,
                        const struct tally *tally)
{
    printf("{\"bench\":\"%s\",\"rounds\":%zu", name, contest->rounds);
    if (contest->peer != NULL)
        printf(",\"peer\":\"%s\"", peer_name(contest->peer));
    tally_print(tally, stdout);
    printf("}\n");
}

void contest_print_peer(const struct contest *contest,
                        const struct tally *tally)
{
    if (contest->peer == NULL)
        return;
    printf("%s: %.0f a second, %.0f us (p50), %.0f us (p99); ratio %.2f\n",
           peer_name(contest->peer), tally_median(tally, "peer_per_s"),
           tally_median(tally, "peer_p50_us"),
           tally_median(tally, "peer_p99_us"), tally_median(tally, "ratio"));
}
