/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with a farm, from what its broker tells of it. Pure.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/agent.h"
#include "cli/doc.h"
#include "cli/doctor/doctor.h"
#include "cli/human.h"
#include "cli/verdict.h"
#include "common/fault.h"
#include "common/limits.h"

#define CLOCK_MS 30000 /* farther apart, times that people read mislead */
#define CERT_S   (14 * 24 * 3600) /* with less left it is worth saying */

void doctor_clock(int64_t ahead_ms, struct findings *findings)
{
    char text[HUMAN_SIZE];
    int64_t off_ms = ahead_ms < 0 ? -ahead_ms : ahead_ms;
    if (off_ms <= CLOCK_MS) {
        findings_well(findings, "clock");
        return;
    }
    struct finding *finding = finding_add(findings, FINDING_CLOCK);
    buf_print(&finding->what, "clock: this machine's is %s %s the broker's",
              human_seconds((double)off_ms / 1000, text),
              ahead_ms < 0 ? "behind" : "ahead of");
    buf_print(&finding->mend,
              "Let both machines set their clocks by the network: "
              "timedatectl set-ntp true.");
}

void doctor_certificate(int64_t left_s, const char *url,
                        struct findings *findings)
{
    char text[HUMAN_SIZE];
    if (left_s >= CERT_S) {
        findings_well(findings, "certificate");
        return;
    }
    struct finding *finding = left_s < 0
                                  ? finding_add(findings, FINDING_CERTIFICATE)
                                  : finding_note(findings, FINDING_CERTIFICATE);
    if (left_s < 0)
        buf_print(&finding->what, "certificate: the one at %s has expired",
                  url);
    else
        buf_print(&finding->what, "certificate: the one at %s expires in %s",
                  url, human_seconds((double)left_s, text));
    buf_print(&finding->mend,
              "Renew it where it lies (--tls-cert of frameq-broker, or a "
              "proxy's), then have it read again: systemctl kill -s HUP "
              "frameq-broker.");
}

static void look_at_ledger(const json_t *farm, struct findings *findings)
{
    const json_t *ledger = json_object_get(farm, "ledger");
    bool full = doc_is(ledger, "state", "full");
    if (!doc_has(ledger, "state") || doc_is(ledger, "state", "ok")) {
        findings_well(findings, "ledger");
        return;
    }
    struct finding *finding = finding_add(findings, FINDING_LEDGER);
    buf_print(&finding->what, "%s: the broker cannot write its ledger: %s",
              full ? "disk full" : "ledger", doc_text(ledger, "reason"));
    buf_print(&finding->mend, "%s",
              full ? "Make room on the disk of the broker's --data: it takes "
                     "jobs again by itself, and nothing it had is lost."
                   : "Its log says more. Stop it, and ask `frameq-broker "
                     "--check --data DIR` what is wrong; a backup starts in "
                     "an empty folder.");
}

void doctor_farm(const json_t *farm, struct findings *findings)
{
    look_at_ledger(farm, findings);
    if (doc_is(farm, "state", "down")) {
        struct finding *finding = finding_add(findings, FINDING_STOPPING);
        buf_print(&finding->what, "the broker is shutting down");
        buf_print(&finding->mend,
                  "Start it again; agents render on meanwhile.");
    }
    if (strcmp(doc_text(farm, "version"), FRAMEQ_VERSION) == 0)
        return;
    struct finding *finding = finding_note(findings, FINDING_VERSION);
    buf_print(&finding->what, "the broker is frameq %s, this is %s",
              doc_text(farm, "version"), FRAMEQ_VERSION);
    buf_print(&finding->mend, "Install the same version on both machines.");
}

/* --- Agents. --- */

static struct finding *add_agent(struct findings *findings,
                                 enum finding_kind kind, const json_t *agent,
                                 const char *what)
{
    struct finding *finding = finding_add(findings, kind);
    buf_print(&finding->what, "%s: %s", doc_text(agent, "name"), what);
    return finding;
}

/* The failure class whose word begins a node's error, "disk_full: ...", and
 * where its own text begins. */
static enum fault error_fault(const char *error, const char **ret_text)
{
    *ret_text = error;
    for (int i = FAULT_NONE + 1; i < FAULT_COUNT; i++) {
        const char *word = fault_word((enum fault)i);
        size_t len = strlen(word);
        if (strncmp(error, word, len) != 0 || error[len] != ':')
            continue;
        *ret_text = error + len + 1 + (error[len + 1] == ' ');
        return (enum fault)i;
    }
    return FAULT_NONE;
}

static bool look_at_error(const json_t *agent, struct findings *findings)
{
    static const struct {
        enum fault fault;
        enum finding_kind kind;
        const char *what;
    } rows[] = {
        {FAULT_NO_BLENDER, FINDING_NODE_BLENDER, "Blender missing"},
        {FAULT_DISK_FULL, FINDING_NODE_DISK, "disk full"},
        {FAULT_UNWRITABLE, FINDING_NODE_DISK, "disk not writable"},
    };
    const json_t *node = json_object_get(agent, "node");
    const char *text, *what = "not well";
    enum finding_kind kind = FINDING_NODE_UNWELL;
    enum fault fault = error_fault(doc_text(node, "error"), &text);
    if (!doc_on(node, "up") || *text == '\0')
        return false;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].fault == fault) {
            kind = rows[i].kind;
            what = rows[i].what;
        }
    struct finding *finding = finding_add(findings, kind);
    buf_print(&finding->what, "%s on %s: %s", what, doc_text(agent, "name"),
              text);
    buf_print(&finding->mend, "%s",
              fault == FAULT_NONE ? "See the log of its node."
                                  : fault_remedy(fault));
    return true;
}

static void look_at_benches(const json_t *agent, struct findings *findings)
{
    size_t i;
    const json_t *bench;
    json_array_foreach(json_object_get(agent, "benched"), i, bench)
    {
        struct finding *finding = add_agent(findings, FINDING_BENCHED, agent,
                                            doc_text(bench, "text"));
        buf_print(&finding->mend,
                  "See why with `frameq show %s`, mend that machine, then "
                  "`frameq retry %s`.",
                  doc_text(bench, "job"), doc_text(bench, "job"));
    }
}

static void tell_lost(const json_t *agent, const char *url,
                      struct findings *findings)
{
    struct finding *finding = finding_add(findings, FINDING_AGENT_LOST);
    buf_print(&finding->what, "%s is %s: %s", doc_text(agent, "name"),
              doc_text(agent, "state"), doc_text(agent, "why"));
    buf_print(&finding->mend,
              "See that frameq-agent runs on its machine and reaches %s; its "
              "frames go to others meanwhile.",
              url);
}

static void tell_node_down(const json_t *agent, struct findings *findings)
{
    const char *error = doc_text(json_object_get(agent, "node"), "error");
    struct finding *finding = add_agent(findings, FINDING_NODE_DOWN, agent,
                                        "its Blender node does not answer");
    buf_print(&finding->what, "%s%s%s", *error != '\0' ? " (" : "", error,
              *error != '\0' ? ")" : "");
    buf_print(&finding->mend,
              "Start frameq-node on that machine, or the agent with "
              "--start-node.");
}

/* others: somebody else can render meanwhile. */
static void tell_drained(const json_t *agent, bool others,
                         struct findings *findings)
{
    struct finding *finding = others ? finding_note(findings, FINDING_DRAINED)
                                     : finding_add(findings, FINDING_DRAINED);
    buf_print(&finding->what, "%s is drained%s", doc_text(agent, "name"),
              others ? "" : ", and no other agent can render");
    buf_print(&finding->mend,
              "When it shall render again: frameq drain %s "
              "--off.",
              doc_text(agent, "name"));
}

static void tell_idle(const json_t *agent, struct findings *findings)
{
    const char *why = doc_text(agent, "why");
    bool none = doc_int(agent, "slots") == 0;
    if (*why == '\0' && !none)
        return;
    struct finding *finding =
        add_agent(findings, FINDING_AGENT_IDLE, agent,
                  none ? "it has no slots" : "it takes no work just now");
    buf_print(&finding->what, "%s%s", *why != '\0' ? ": " : "", why);
    buf_print(&finding->mend, "It goes on by itself once that is over; see its "
                              "log, and that of its node.");
}

static void look_at_agent(const json_t *agent, bool others, const char *url,
                          struct findings *findings)
{
    const json_t *node = json_object_get(agent, "node");
    look_at_benches(agent, findings);
    if (!doc_is(agent, "state", "up"))
        tell_lost(agent, url, findings);
    else if (json_is_object(node) && !doc_on(node, "up"))
        tell_node_down(agent, findings);
    else if (look_at_error(agent, findings))
        return;
    else if (strcmp(agent_state(agent), "drained") == 0)
        tell_drained(agent, others, findings);
    else
        tell_idle(agent, findings);
}

/* --- Blender's versions. --- */

/* The agents that render, by the version of their Blender; owned. */
static json_t *by_version(const json_t *agents)
{
    size_t i;
    const json_t *agent;
    json_t *versions = json_object();
    json_array_foreach((json_t *)(uintptr_t)agents, i, agent)
    {
        const json_t *node = json_object_get(agent, "node");
        const char *version = doc_text(node, "blender");
        if (!doc_is(agent, "state", "up") || *version == '\0')
            continue;
        if (json_object_get(versions, version) == NULL)
            json_object_set_new(versions, version, json_array());
        json_array_append(json_object_get(versions, version),
                          json_object_get(agent, "name"));
    }
    return versions;
}

static void look_at_versions(const json_t *agents, struct findings *findings)
{
    const char *version, *comma = "";
    json_t *names, *versions = by_version(agents);
    size_t n = json_object_size(versions);
    struct finding *finding =
        n > 1 ? finding_add(findings, FINDING_BLENDER_VERSIONS) : NULL;
    if (n == 2)
        buf_print(&finding->what, "two Blender versions: ");
    else if (n > 2)
        buf_print(&finding->what, "%zu Blender versions: ", n);
    json_object_foreach(versions, version, names)
    {
        if (n == 1)
            findings_well(findings, "Blender %s on every node", version);
        if (n < 2)
            break;
        buf_print(&finding->what, "%s%s on ", comma, version);
        doctor_names(names, &finding->what);
        comma = ", ";
    }
    if (n > 1)
        buf_print(
            &finding->mend,
            "Install one version on every node: frames of a job would "
            "differ. Until then keep jobs to some by a tag: frameq submit "
            "--tag TAG.");
    json_decref(versions);
}

static void tell_no_agents(const char *url, struct findings *findings)
{
    struct finding *finding = finding_add(findings, FINDING_NO_AGENTS);
    buf_print(&finding->what, "no agents: nobody renders for this broker");
    buf_print(&finding->mend,
              "On a machine with Blender: frameq-agent --start-node --broker "
              "%s",
              url);
}

void doctor_agents(const json_t *agents, const char *url,
                   struct findings *findings)
{
    size_t i, before = findings->n, n = json_array_size(agents);
    const json_t *agent;
    char why[LIMIT_REASON];
    bool others = verdict_agents(agents, NULL, why, sizeof why);
    json_array_foreach((json_t *)(uintptr_t)agents, i, agent)
        look_at_agent(agent, others, url, findings);
    if (n == 0)
        tell_no_agents(url, findings);
    else if (findings->n == before)
        findings_well(findings, "%zu agent%s", n, n == 1 ? "" : "s");
    look_at_versions(agents, findings);
}
