/* SPDX-License-Identifier: Apache-2.0
 *
 * One table: it parses, it explains, it is what the man page is made of.
 */
#include "broker/settings.h"

#include <stdlib.h>
#include <string.h>

#include "broker/files/s3.h"
#include "broker/hooks/hook_gate.h"
#include "common/app/log.h"
#include "common/http/forwarded.h"

#define DAY_MS 86400000.0

static bool lanes_parse(const char *value, int *ret_low, int *ret_high)
{
    char *dash, *end;
    long low = strtol(value, &dash, 10);
    if (dash == value || *dash != '-')
        return false;
    long high = strtol(dash + 1, &end, 10);
    if (end == dash + 1 || *end != '\0' || low < 1 || low > high ||
        high > 65535)
        return false;
    *ret_low = (int)low;
    *ret_high = (int)high;
    return true;
}

void settings_lanes(const char *value, int *ret_low, int *ret_high)
{
    if (!lanes_parse(value, ret_low, ret_high))
        *ret_low = *ret_high = 0;
}

static const char *is_lanes(const char *value)
{
    int low, high;
    return lanes_parse(value, &low, &high)
               ? NULL
               : "must be two ports, LOW-HIGH, as in 20000-29999";
}

static const char *is_results(const char *value)
{
    static const char *const words[] = {"refer", "keep", NULL};
    return conf_choice(value, words);
}

static const char *is_curve(const char *value)
{
    static const char *const words[] = {"auto", "on", NULL};
    return conf_choice(value, words);
}

static const char *is_keep(const char *value)
{
    if (strcmp(value, "0") == 0 || conf_is_seconds(value) == NULL)
        return NULL;
    return conf_reason("must be days, 0 for ever, not `%s`", value);
}

int64_t settings_keep_ms(const struct conf *conf)
{
    const char *days = conf_get(conf, "keep");
    int64_t ms = (int64_t)(strtod(days, NULL) * DAY_MS);
    return strcmp(days, "0") != 0 && ms < 1 ? 1 : ms;
}

static const char *is_proxies(const char *value)
{
    struct proxies proxies;
    return proxies_read(value, &proxies)
               ? NULL
               : conf_reason("must be addresses or networks, with commas "
                             "between, as in 127.0.0.1,10.1.0.0/16, not `%s`",
                             value);
}

static const struct setting settings[] = {
    {.name = "http",
     .argument = "ADDR:PORT",
     .fallback = "127.0.0.1:4000",
     .help = "Where people, tools and agents reach it by HTTP. Port 0 takes a "
             "free one; the ready line names it.",
     .check = conf_is_address},
    {.name = "hosts",
     .argument = "NAME",
     .many = true,
     .help = "A name people reach it by, where that is one of the internet "
             "(farm.example.com), not just of this network. Without tokens, "
             "requests to others are refused: any web page can have its own "
             "name lead here. May be given again."},
    {.name = "zmq",
     .argument = "ADDR:PORT",
     .fallback = "127.0.0.1:4001",
     .help = "Where agents report (status). Control is the next port, the feed "
             "for status subscribers the one after. Port 0 takes three free "
             "ones in a row.",
     .check = conf_is_address},
    {.name = "lanes",
     .argument = "LOW-HIGH",
     .fallback = "20000-29999",
     .help = "Ports for work: one a connected agent, lowest free first, so a "
             "firewall opens only as many as there are agents.",
     .check = is_lanes},
    {.name = "data",
     .argument = "DIR",
     .fallback = "./frameq-data",
     .help = "Folder of the ledger, on a local disk. Made when it is not "
             "there."},
    {.name = "batch",
     .argument = "auto|N",
     .fallback = "auto",
     .help = "Frames of a batch for jobs that do not say: auto sizes each for "
             "the agent that takes it.",
     .check = conf_is_auto_count},
    {.name = "max-attempts",
     .argument = "N",
     .fallback = "3",
     .help = "How often a frame may fail before it is given up, for jobs that "
             "do not say.",
     .check = conf_is_count},
    {.name = "lease-ttl",
     .argument = "SECONDS",
     .fallback = "15",
     .help = "An agent not heard for this long has lost its frames to others.",
     .check = conf_is_seconds},
    {.name = "orphan-grace",
     .argument = "auto|SECONDS",
     .fallback = "auto",
     .help = "How long a killed agent's frames wait for its restart, in which "
             "it takes up what its node still renders. auto: a tenth of the "
             "job's frame time, 2 to 60 s.",
     .check = conf_is_auto_seconds},
    {.name = "results",
     .argument = "refer|keep",
     .fallback = "refer",
     .help = "refer: frames stay where the node wrote them. keep: whole frames "
             "are kept here as well.",
     .check = is_results},
    {.name = "keep",
     .argument = "DAYS",
     .fallback = "30",
     .help =
         "Ended jobs, their logs and thumbnails are forgotten after this; a "
         "fraction is allowed, 0 keeps them for ever.",
     .check = is_keep},
    {.name = "upload-gb",
     .argument = "N",
     .fallback = "100",
     .help = "Gigabytes of uploaded scenes kept at most. Those that no live "
             "job names go when nobody has asked for them for --keep days, or "
             "sooner where there is no room, the oldest first.",
     .check = conf_is_gigabytes},
    {.name = "store",
     .argument = "s3://BUCKET/PREFIX",
     .help = "An S3-compatible store that holds uploaded files and kept frames "
             "instead of --data: clients put and get them there. Its keys and "
             "address come from the environment: AWS_ACCESS_KEY_ID, "
             "AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL.",
     .check = s3_is_place},
    {.name = "notify-allow",
     .argument = "CIDR|HOST",
     .help = "Let webhooks go there: an address, a network or a host of this "
             "machine, or link-local, where they do not go otherwise (to "
             "loopback they do where --http is on it, without --tokens and "
             "--proxy). May be given again.",
     .check = hook_gate_is_rule,
     .many = true},
    {.name = "tokens",
     .argument = "FILE",
     .help = "File of HTTP tokens, as `frameq token` writes it: without one of "
             "them nobody gets in. It is read again when it changes."},
    {.name = "tls-cert",
     .argument = "FILE",
     .help = "Serve HTTPS with this certificate (PEM), those between it and "
             "the root behind it in the file; needs --tls-key. SIGHUP has "
             "both files read again."},
    {.name = "tls-key",
     .argument = "FILE",
     .help = "The certificate's private key (PEM), mode 0600."},
    {.name = "proxy",
     .argument = "ADDR[,ADDR...]",
     .help = "Reverse proxies, by address or network, whose X-Forwarded-For, "
             "-Proto and -Host are believed: who asked, whether encrypted, and "
             "by which name. Of others these headers count for nothing.",
     .check = is_proxies},
    {.name = "curve",
     .argument = "auto|on",
     .fallback = "auto",
     .help = "Agents need a key, which `frameq agents add` makes, and all they "
             "say is encrypted. auto: where --zmq is not on loopback.",
     .check = is_curve},
    {.name = "insecure",
     .help = "Serve off loopback without tokens or keys: anyone who reaches "
             "the ports can submit, cancel and take work."},
    {.name = "log-format",
     .argument = "text|json",
     .fallback = "text",
     .help = "How the log on stderr is written: key=value pairs, or a JSON "
             "object a line.",
     .check = log_is_format},
    {.name = "check",
     .help = "Read the whole ledger in --data, say whether it is sound, and "
             "exit."},
};

const struct conf_program broker_program = {
    .name = "frameq-broker",
    .usage = "",
    .about = "Takes render requests over HTTP, hands frames to agents, and "
             "keeps account of every frame in a ledger on disk. Start one; "
             "then frameq-agent beside each node.",
    .epilog =
        "Examples:\n"
        "  frameq-broker\n"
        "  frameq-broker --data /var/lib/frameq --batch 5\n"
        "  curl -d '{\"from\":1,\"to\":20}' http://127.0.0.1:4000/render\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};
