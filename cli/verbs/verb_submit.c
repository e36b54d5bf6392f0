/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq submit: queues frames. The id alone goes to stdout, all else to
 * stderr. The request carries a key of its own, so that it can be repeated
 * until it is answered and still makes one job.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/bring/fetch.h"
#include "cli/doc.h"
#include "cli/job.h"
#include "cli/send/submit_body.h"
#include "cli/send/upload.h"
#include "cli/verbs/verbs.h"
#include "cli/wait.h"
#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/app/net.h"
#include "common/limits.h"
#include "common/mem.h"

#define GIVE_UP_MS    60000
#define PAUSE_MS      200 /* doubled after each try, up to PAUSE_MOST_MS */
#define PAUSE_MOST_MS 5000
#define KEY_BYTES     16
#define SENDS_MORE    2

static struct conf_program program = {
    .name = "frameq submit",
    .usage = "[FILE.blend]",
    .about = "Queues frames and prints the job's id. Without a file, nodes "
             "render the .blend they were started with. What is not given is "
             "as the .blend says.",
    .epilog = "  frameq submit shot.blend -f 1-250 --wait\n"
              "  frameq submit shot.blend -f 1-100x5 --samples 32 "
              "--resolution 50%\n"
              "  frameq submit comp.blend -f 1-250 --after shot --tag gpu\n",
    .operands_max = 1,
};

/* Whether the files go to the broker, or the nodes have them. */
static bool uploads(const struct cli *cli)
{
    const char *word = cli_get(cli, "upload");
    if (strcmp(word, "auto") == 0)
        return !net_is_loopback(client_host(cli->client));
    return strcmp(word, "on") == 0;
}

static void gather_files(const struct cli *cli, json_t *body, const char *path,
                         struct gathered *ret)
{
    const char *missing = cli_get(cli, "missing-files");
    bool allow = missing != NULL && strcmp(missing, "allow") == 0;
    gather(path, cli_get(cli, "blender"), allow, ret);
    upload_hash(ret);
    upload_send(cli, ret);
    json_object_set_new(body, "blend", manifest_json(&ret->manifest));
}

/* Only who sees the file can say which version is meant. */
static void name_blend(const struct cli *cli, json_t *body, const char *path)
{
    char name[BLOB_NAME + 1];
    json_object_set_new(body, "blend", json_string(path));
    if (!cli_on(cli, "pin"))
        return;
    upload_hash_one(path, name);
    json_object_set_new(body, "blend_sha256", json_string(name));
}

static bool is_folder(const char *path)
{
    struct stat what;
    return stat(path, &what) == 0 && S_ISDIR(what.st_mode);
}

/* Adds the .blend by its files or its real path, and its name as the job's. */
static void add_blend(const struct cli *cli, json_t *body, const char *file,
                      struct gathered *ret)
{
    char path[PATH_MAX];
    if (realpath(file, path) == NULL)
        log_fatal(CLI_USAGE, "%s: %s", file, strerror(errno));
    if (is_folder(path))
        log_fatal(CLI_USAGE, "%s is a folder: name the .blend in it", file);
    if (uploads(cli))
        gather_files(cli, body, path, ret);
    else
        name_blend(cli, body, path);
    if (json_object_get(body, "name") != NULL)
        return;
    const char *slash = strrchr(path, '/');
    char *name = mem_text(slash == NULL ? path : slash + 1);
    char *dot = strrchr(name, '.');
    if (dot != NULL && dot != name)
        *dot = '\0';
    if (strlen(name) <= LIMIT_NAME)
        json_object_set_new(body, "name", json_string(name));
    mem_free(name);
}

static void add_user(json_t *body)
{
    const char *name = client_user();
    if (name != NULL)
        json_object_set_new(body, "user", json_string(name));
}

static void add_depends(struct cli *cli, json_t *body)
{
    const char *const *names;
    size_t n = conf_many(cli->conf, "after", &names);
    json_t *ids = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *job = job_find(cli, names[i]);
        json_array_append_new(ids, json_string(doc_text(job, "id")));
        json_decref(job);
    }
    if (n > 0)
        json_object_set(body, "depends_on", ids);
    json_decref(ids);
}

static json_t *body_of(struct cli *cli, struct gathered *ret)
{
    const char *const *operands;
    if (cli_get(cli, "frames") == NULL)
        log_fatal(CLI_USAGE, "which frames? Name them with -f, as -f 1-250");
    json_t *body = submit_body(cli->conf);
    if (conf_operands(cli->conf, &operands) > 0)
        add_blend(cli, body, operands[0], ret);
    add_user(body);
    add_depends(cli, body);
    return body;
}

static void key_draw(char ret[2 * KEY_BYTES + 1])
{
    unsigned char bytes[KEY_BYTES];
    if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes)
        log_fatal(CLI_FAILED, "no random numbers: %s", strerror(errno));
    for (int i = 0; i < KEY_BYTES; i++)
        snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
}

/* Whether the same request may be answered otherwise a moment later. 507 is
 * not: the ledger's disk is full until somebody makes room. */
static bool may_change(const struct reply *reply)
{
    return reply->status == 0 || reply->status == 500 ||
           (reply->status >= 502 && reply->status <= 504);
}

static void tell_trouble(const struct cli *cli, const struct reply *reply)
{
    if (reply->status == 0)
        fprintf(stderr,
                "frameq: no broker answers at %s: start one with `frameq dev` "
                "or name it with --broker; trying again for %d s\n",
                client_url(cli->client), GIVE_UP_MS / 1000);
    else
        fprintf(stderr, "frameq: %s; trying again for %d s\n", reply->why,
                GIVE_UP_MS / 1000);
}

/* Sends the job until it is answered and returns its document, or ends the
 * program. */
static json_t *submit(struct cli *cli, const json_t *body,
                      const struct gathered *gathered)
{
    char key[2 * KEY_BYTES + 1];
    int sends = SENDS_MORE;
    struct reply reply;
    struct ask ask = {
        .method = "POST", .path = "/v1/jobs", .body = body, .key = key};
    int64_t until_ms = clock_now_ms() + GIVE_UP_MS;
    key_draw(key);
    for (int pause_ms = PAUSE_MS;; pause_ms *= 2) {
        client_ask(cli->client, &ask, &reply);
        if (reply.status == 409 && gathered->manifest.n > 0 && sends-- > 0) {
            reply_done(&reply); /* what was there is gone meanwhile */
            upload_send(cli, gathered);
            continue;
        }
        if (!may_change(&reply) || clock_now_ms() >= until_ms)
            break;
        if (pause_ms == PAUSE_MS)
            tell_trouble(cli, &reply);
        reply_done(&reply);
        poll(NULL, 0, pause_ms < PAUSE_MOST_MS ? pause_ms : PAUSE_MOST_MS);
    }
    if (reply.status < 200 || reply.status >= 300 || !client_is_broker(&reply))
        client_end(cli->client, &reply);
    return reply.json;
}

static void print_job(const struct cli *cli, const json_t *job)
{
    if (cli->json)
        cli_print_json(job);
    else
        printf("%s\n", doc_text(job, "id"));
    fflush(stdout);
}

static void print_warnings(const json_t *job)
{
    size_t i;
    const json_t *warning;
    json_array_foreach(json_object_get(job, "warnings"), i,
                       warning) if (json_is_string(warning))
        fprintf(stderr, "frameq: warning: %s\n", json_string_value(warning));
}

/* Returns the exit code: a job that is done and whose pictures are not here is
 * no success. */
static int bring_home(const struct cli *cli, const json_t *job, int code)
{
    struct fetched fetched = {0};
    const char *dir = cli_get(cli, "fetch");
    fetch_ended(cli, doc_text(job, "id"), dir, &fetched);
    fetch_tell(stderr, dir, &fetched);
    return code == CLI_DONE && fetched.failed > 0 ? CLI_FAILED : code;
}

int verb_submit(int argc, char **argv)
{
    struct cli cli;
    program.settings = submit_settings;
    program.n = submit_settings_n;
    cli_open(&cli, &program, argc, argv);
    bool wait = cli_on(&cli, "wait") || cli_get(&cli, "fetch") != NULL;
    struct gathered gathered = {0};
    json_t *body = body_of(&cli, &gathered);
    json_t *job = submit(&cli, body, &gathered);
    gathered_done(&gathered);
    int code = CLI_DONE;
    if (!cli.json || !wait)
        print_job(&cli, job);
    if (wait) {
        job = wait_for(&cli, job);
        code = job_code(job);
    }
    if (cli_get(&cli, "fetch") != NULL)
        code = bring_home(&cli, job, code);
    print_warnings(job);
    if (wait && cli.json)
        print_job(&cli, job);
    json_decref(body);
    json_decref(job);
    return cli_close(&cli, code);
}
