/* SPDX-License-Identifier: Apache-2.0
 *
 * Asking the broker, where it may be another server's port, a farm that wants
 * a token, or nobody at all.
 */
#include <stdio.h>
#include <string.h>

#include "cli/doc.h"
#include "cli/doctor/doctor.h"
#include "common/app/clock.h"

#define PORT_USUAL "4000"

static void ask(struct client *client, const char *path, struct reply *ret)
{
    struct ask ask = {.method = "GET", .path = path};
    client_ask(client, &ask, ret);
}

/* Whether a broker answers at the usual port of the same host, and where. */
static bool is_at_usual_port(const struct cli *cli, char *ret, size_t size)
{
    struct reply reply;
    const char *host = client_host(cli->client);
    bool six = strchr(host, ':') != NULL;
    snprintf(ret, size, "http://%s%.256s%s:" PORT_USUAL, six ? "[" : "", host,
             six ? "]" : "");
    if (*host == '\0' || strcmp(ret, client_url(cli->client)) == 0)
        return false;
    struct client *client = client_new(ret, NULL, true);
    ask(client, "/v1/farm", &reply);
    bool found = reply.status != 0 && client_is_broker(&reply);
    reply_done(&reply);
    client_free(&client);
    return found;
}

static void mend_address(const struct cli *cli, struct finding *finding)
{
    char url[512];
    if (is_at_usual_port(cli, url, sizeof url))
        buf_print(&finding->mend,
                  "A broker answers at %s: name that one by --broker or "
                  "FRAMEQ_BROKER.",
                  url);
    else
        buf_print(&finding->mend,
                  "Start one there with frameq-broker (or a whole farm with "
                  "`frameq dev`), or name the right host and port by --broker "
                  "or FRAMEQ_BROKER.");
}

static void tell_unreachable(const struct cli *cli, const char *why, bool named,
                             struct findings *findings)
{
    struct finding *finding = named ? finding_add(findings, FINDING_UNREACHABLE)
                                    : finding_note(findings, FINDING_NOT_ASKED);
    buf_print(&finding->what, "no broker answers at %s%s%s%s",
              client_url(cli->client), *why != '\0' ? " (" : "", why,
              *why != '\0' ? ")" : "");
    mend_address(cli, finding);
}

static void tell_distrusted(const struct cli *cli, bool expired,
                            struct findings *findings)
{
    if (expired) {
        doctor_certificate(-1, client_url(cli->client), findings);
        return;
    }
    struct finding *finding = finding_add(findings, FINDING_CERTIFICATE);
    buf_print(&finding->what, "certificate: the one at %s is not trusted here",
              client_url(cli->client));
    buf_print(&finding->mend,
              "Name a file with it, or with the authority that has signed it, "
              "by --ca or FRAMEQ_CA; and the broker by a name that is in it.");
}

static void tell_stranger(const struct cli *cli, struct findings *findings)
{
    struct reply info;
    ask(cli->client, "/info", &info);
    bool node = info.status == 200 && doc_has(info.json, "slots");
    reply_done(&info);
    struct finding *finding = finding_add(findings, FINDING_NO_BROKER);
    buf_print(&finding->what, "wrong port: what answers at %s is %s",
              client_url(cli->client),
              node ? "a Blender node, no broker" : "no frameq broker");
    mend_address(cli, finding);
}

static void tell_refused(const struct cli *cli, const struct reply *reply,
                         struct findings *findings)
{
    const char *token = cli_get(cli, "token");
    struct finding *finding = finding_add(findings, FINDING_TOKEN);
    if (reply->status == 401 && token == NULL)
        buf_print(&finding->what, "no token: the farm at %s wants one",
                  client_url(cli->client));
    else if (reply->status == 401)
        buf_print(&finding->what,
                  "wrong token: the farm at %s does not know it, or it was "
                  "taken back",
                  client_url(cli->client));
    else
        buf_print(&finding->what, "the broker refuses: %s", reply->why);
    if (reply->status == 400) /* http to its https port */
        buf_print(&finding->mend, "Name it by --broker or FRAMEQ_BROKER.");
    else
        buf_print(
            &finding->mend,
            "On the broker's machine `frameq token add` makes one; then set "
            "FRAMEQ_TOKEN to the secret it prints.");
}

static int64_t farther(int64_t a, int64_t b)
{
    return (a < 0 ? -a : a) < (b < 0 ? -b : b) ? b : a;
}

/* Date is in every answer, `now` only in one that we may read. A proxy's Date
 * is its own: the one that is farther off is told. */
static void look_at_clock(const struct reply *reply, struct findings *findings)
{
    int64_t ahead_ms = 0, now_ms = clock_wall_ms();
    int64_t farm_ms = doc_time(reply->json, "now");
    if (reply->date_ms >= 0)
        ahead_ms = now_ms - reply->date_ms;
    if (farm_ms >= 0)
        ahead_ms = farther(ahead_ms, now_ms - farm_ms);
    if (reply->date_ms >= 0 || farm_ms >= 0)
        doctor_clock(ahead_ms, findings);
}

static json_t *look_at_agents(const struct cli *cli, struct findings *findings)
{
    struct reply reply;
    json_t *agents = NULL;
    ask(cli->client, "/v1/agents", &reply);
    if (reply.status == 200) {
        agents = json_incref(json_object_get(reply.json, "agents"));
        doctor_agents(agents, client_url(cli->client), findings);
    }
    reply_done(&reply);
    return agents;
}

json_t *doctor_broker(struct cli *cli, bool named, struct findings *findings)
{
    struct reply reply;
    json_t *agents = NULL;
    ask(cli->client, "/v1/farm", &reply);
    bool broker = client_is_broker(&reply);
    if (reply.distrusted)
        tell_distrusted(cli, reply.expired, findings);
    else if (reply.status == 0)
        tell_unreachable(cli, reply.why, named, findings);
    else if (!broker || (reply.status == 200 && !doc_has(reply.json, "ports")))
        tell_stranger(cli, findings);
    else if (reply.status != 200)
        tell_refused(cli, &reply, findings);
    else
        findings_well(findings, "broker %s", client_url(cli->client));
    if (reply.cert_until_s >= 0)
        doctor_certificate(reply.cert_until_s - clock_wall_ms() / 1000,
                           client_url(cli->client), findings);
    if (reply.status != 0 && broker)
        look_at_clock(&reply, findings);
    if (reply.status == 200 && broker && doc_has(reply.json, "ports")) {
        doctor_farm(reply.json, findings);
        agents = look_at_agents(cli, findings);
    }
    reply_done(&reply);
    return agents;
}
