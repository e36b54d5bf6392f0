/* SPDX-License-Identifier: Apache-2.0
 *
 * A list of jobs with something to tell, at most LIMIT_HOOKS long. What does
 * not fit, and at a start everything, is found by a pass over all jobs, a slice
 * a turn.
 */
#include "broker/hooks/hooks.h"

#include <inttypes.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/broker_internal.h"
#include "broker/core/state.h"
#include "broker/hooks/hook_post.h"
#include "broker/hooks/hook_told.h"
#include "broker/views/view.h"
#include "common/app/clock.h"
#include "common/app/log.h"
#include "common/app/private.h"
#include "common/table.h"

#define PREFIX      "whsec_"
#define SECRET_SIZE 64
#define FARM_SIZE   17
#define KEY_MAX     4096 /* bytes of the secret's file */
#define BODY_MAX    (256 * 1024)
#define LOOKS       1000 /* jobs a slice of the pass looks at */
#define RESULTS_MS  250  /* how soon a result is looked at */
#define GONE        410  /* who answers so wants no more */

/* Between tries; the last one again and again. */
static const int64_t pauses_ms[] = {1000,   5000,    30000,   120000,
                                    600000, 1800000, 3600000, 7200000};
#define PAUSES (int)(sizeof pauses_ms / sizeof *pauses_ms)

/* A job with something to tell. */
struct hook {
    struct hooks *hooks;
    char job[LIMIT_ID + 1];
    char id[HOOK_ID_SIZE]; /* of what is told: job, and which end of it */
    int64_t since_ms;      /* patience begins */
    int64_t due_ms;        /* of the next try */
    int tries;             /* that failed */
    bool gated;            /* what it tells is not on disk yet */
    bool sent;             /* the poster has it */
    struct hook *prev, *next;
    UT_hash_handle hh; /* by job */
};

struct hooks {
    struct broker *broker;
    struct hook_gate gate;
    struct hook_poster *poster;
    struct told *told;
    char secret[SECRET_SIZE], farm[FARM_SIZE];
    struct hook *list;   /* in order of arrival */
    struct hook *by_job; /* hash */
    size_t n, n_sent;    /* waiting or sent; of them, sent */
    bool stirred;        /* the list changed since it was looked through */
    int64_t next_ms;     /* else nothing in it is due before */
    bool passing;        /* over all jobs, from `at` on ("": the first) */
    bool missed;         /* one did not fit: another pass */
    char at[LIMIT_ID + 1];
    uint64_t delivered, failed, given_up;
};

/* --- What there is to tell. --- */

/* The job's URL, owned by *ret_doc; NULL: none. */
static const char *find_url(const struct job *job, json_t **ret_doc)
{
    *ret_doc =
        strstr(job->doc, "\"notify\"") ? json_loads(job->doc, 0, NULL) : NULL;
    return json_string_value(json_object_get(*ret_doc, "notify"));
}

static bool has_url(const struct job *job)
{
    json_t *doc;
    bool has = find_url(job, &doc) != NULL;
    json_decref(doc);
    return has;
}

/* Names what the job as it is has to tell: its end, or that frames of it were
 * given up since its last retry. False: nothing. */
static bool name_news(const struct job *job, char ret[HOOK_ID_SIZE])
{
    if (job_ended(job) && job->ended_ms != 0)
        snprintf(ret, HOOK_ID_SIZE, "%s.%" PRId64, job->id, job->ended_ms);
    else if (job->in[FRAME_FAILED].count > 0)
        snprintf(ret, HOOK_ID_SIZE, "%s.f%" PRIu64, job->id, job->fence);
    else
        return false;
    return true;
}

static bool is_stale(const struct job *job, int64_t now_ms)
{
    return job->ended_ms != 0 && now_ms - job->ended_ms >= HOOKS_PATIENCE_MS;
}

static struct hook *hook_find(const struct hooks *hooks, const char *job)
{
    struct hook *hook;
    HASH_FIND(hh, hooks->by_job, job, strlen(job), hook);
    return hook;
}

static void hook_free(struct hook *hook)
{
    struct hooks *hooks = hook->hooks;
    broker_unanswer(hooks->broker, hook);
    HASH_DELETE(hh, hooks->by_job, hook);
    DL_DELETE(hooks->list, hook);
    hooks->n--;
    hooks->n_sent -= hook->sent;
    mem_free(hook);
}

static void on_disk(void *ctx)
{
    struct hook *hook = ctx;
    hook->gated = false;
    hook->hooks->stirred = true;
}

/* What a hook tells from now on; tries and patience begin anew. */
static void hook_set(struct hook *hook, const char *id)
{
    struct broker *broker = hook->hooks->broker;
    snprintf(hook->id, sizeof hook->id, "%s", id);
    hook->since_ms = hook->due_ms = broker_now(broker);
    hook->tries = 0;
    if (hook->gated)
        broker_unanswer(broker, hook);
    hook->gated = true;
    broker_answer(broker, on_disk, NULL, hook);
}

static struct hook *hook_new(struct hooks *hooks, const struct job *job)
{
    struct hook *hook = mem_new(sizeof *hook);
    hook->hooks = hooks;
    snprintf(hook->job, sizeof hook->job, "%s", job->id);
    DL_APPEND(hooks->list, hook);
    HASH_ADD_KEYPTR(hh, hooks->by_job, hook->job, strlen(hook->job), hook);
    hooks->n++;
    return hook;
}

static void look_at(struct hooks *hooks, const struct job *job)
{
    char id[HOOK_ID_SIZE];
    if (!name_news(job, id) || is_stale(job, broker_now(hooks->broker)))
        return;
    struct hook *hook = hook_find(hooks, job->id);
    if ((hook && strcmp(hook->id, id) == 0) || !has_url(job) ||
        told_has(hooks->told, id))
        return;
    if (!hook && hooks->n == LIMIT_HOOKS) {
        hooks->missed = true;
        return;
    }
    hook_set(hook ? hook : hook_new(hooks, job), id);
}

static void job_changed(void *ctx, const char *id)
{
    struct hooks *hooks = ctx;
    const struct job *job =
        id ? job_find(broker_core(hooks->broker), id) : NULL;
    if (job)
        look_at(hooks, job);
}

static void pass_on(struct hooks *hooks)
{
    const struct core *core = broker_core(hooks->broker);
    if (!hooks->passing && hooks->missed && hooks->n < LIMIT_HOOKS / 2) {
        hooks->passing = true;
        hooks->missed = false;
    }
    if (!hooks->passing)
        return;
    const struct job *job = job_find(core, hooks->at);
    job = job ? job : core->jobs;
    for (int i = 0; job && i < LOOKS && !hooks->missed; i++, job = job->next)
        look_at(hooks, job);
    snprintf(hooks->at, sizeof hooks->at, "%s", job ? job->id : "");
    hooks->passing = job != NULL && !hooks->missed;
}

/* --- Telling it. --- */

/* What a receiver needs to go on; frames may be long and are one question
 * away. */
static json_t *view_data(const struct core *core, const struct job *job)
{
    static const char *const members[] = {
        "id",     "name",     "user",       "project",    "labels",   "state",
        "counts", "seconds",  "failures",   "reason",     "priority", "output",
        "blend",  "warnings", "created_at", "started_at", "ended_at", NULL};
    json_t *all = view_job(core, job), *data = json_object();
    for (size_t i = 0; members[i]; i++)
        json_object_set(data, members[i], json_object_get(all, members[i]));
    json_decref(all);
    return data;
}

static char *write_event(const struct hooks *hooks, const struct hook *hook,
                         const struct job *job)
{
    char source[64], type[64];
    struct buf text;
    json_t *event = json_object();
    const char *word =
        job_ended(job) ? job_status_word(job_status(job)) : "failing";
    snprintf(source, sizeof source, "urn:frameq:%s", hooks->farm);
    snprintf(type, sizeof type, "io.frameq.job.%s.v1", word);
    view_put(event, "specversion", json_string("1.0"));
    view_put(event, "id", json_string(hook->id));
    view_put(event, "source", json_string(source));
    view_put(event, "type", json_string(type));
    view_put(event, "subject", json_string(job->id));
    view_put(event, "time",
             view_time(job_ended(job) ? job->ended_ms : hook->since_ms));
    view_put(event, "datacontenttype", json_string("application/json"));
    view_put(event, "data", view_data(broker_core(hooks->broker), job));
    buf_init(&text, BODY_MAX);
    bool fits = view_write(event, &text);
    char *body = fits ? mem_text(buf_text(&text)) : NULL;
    buf_free(&text);
    json_decref(event);
    return body;
}

static void hook_over(struct hook *hook)
{
    struct hooks *hooks = hook->hooks;
    told_add(hooks->told, hook->id);
    hook_free(hook);
}

static void give_up(struct hook *hook, const char *why)
{
    hook->hooks->given_up++;
    log_warn("webhook_given_up", "job=%s tries=%d reason=%s", hook->job,
             hook->tries, log_quoted(why));
    hook_over(hook);
}

static void hook_send(struct hook *hook, const struct job *job)
{
    json_t *doc;
    struct hooks *hooks = hook->hooks;
    char *body = write_event(hooks, hook, job);
    if (!body) {
        give_up(hook, "its message is too long");
        return;
    }
    struct hook_post *post = mem_new(sizeof *post);
    snprintf(post->id, sizeof post->id, "%s", hook->id);
    post->url = mem_text(find_url(job, &doc));
    json_decref(doc);
    post->body = body;
    post->wall_ms = clock_wall_ms();
    hook->sent = true;
    hooks->n_sent++;
    hook_poster_send(hooks->poster, post);
}

/* One whose job has gone, or has nothing more to tell since a retry, goes. */
static void hook_try(struct hook *hook)
{
    char id[HOOK_ID_SIZE];
    const struct job *job =
        job_find(broker_core(hook->hooks->broker), hook->job);
    if (!job || !name_news(job, id) || strcmp(id, hook->id) != 0)
        hook_free(hook);
    else
        hook_send(hook, job);
}

static void send_due(struct hooks *hooks)
{
    struct hook *hook, *next;
    int64_t now_ms = broker_now(hooks->broker);
    if (!hooks->stirred && now_ms < hooks->next_ms)
        return;
    hooks->stirred = false;
    hooks->next_ms = INT64_MAX;
    DL_FOREACH_SAFE (hooks->list, hook, next) {
        if (hooks->n_sent == LIMIT_HOOKS_OPEN)
            return; /* a result stirs */
        if (hook->sent || hook->gated)
            continue;
        if (hook->due_ms <= now_ms)
            hook_try(hook);
        else if (hook->due_ms < hooks->next_ms)
            hooks->next_ms = hook->due_ms;
    }
}

static void try_again(struct hook *hook, const struct hook_post *post)
{
    char why[LIMIT_REASON];
    int64_t now_ms = broker_now(hook->hooks->broker);
    int at = hook->tries < PAUSES ? hook->tries : PAUSES - 1;
    hook->tries++;
    hook->hooks->failed++;
    hook->due_ms = now_ms + pauses_ms[at];
    if (post->status)
        snprintf(why, sizeof why, "it answered %d", post->status);
    else
        snprintf(why, sizeof why, "%s", post->why);
    if (post->status == GONE ||
        hook->due_ms - hook->since_ms >= HOOKS_PATIENCE_MS)
        give_up(hook, why);
    else
        log_warn("webhook_failed", "job=%s try=%d next_s=%" PRId64 " reason=%s",
                 hook->job, hook->tries, pauses_ms[at] / 1000, log_quoted(why));
}

static void take_result(struct hook *hook, const struct hook_post *post)
{
    struct hooks *hooks = hook->hooks;
    bool taken = post->status >= 200 && post->status < 300;
    hook->sent = false;
    hooks->n_sent--;
    hooks->stirred = true;
    if (taken) {
        hooks->delivered++;
        told_add(hooks->told, post->id);
        log_info("webhook_delivered", "job=%s id=%s status=%d", hook->job,
                 post->id, post->status);
    }
    if (strcmp(hook->id, post->id) != 0)
        return; /* it has something newer to tell */
    if (taken)
        hook_free(hook);
    else
        try_again(hook, post);
}

static void take_results(struct hooks *hooks)
{
    struct hook_post *post;
    char job[LIMIT_ID + 1];
    while ((post = hook_poster_take(hooks->poster))) {
        snprintf(job, sizeof job, "%.*s", (int)strcspn(post->id, "."),
                 post->id);
        struct hook *hook = hook_find(hooks, job);
        if (hook)
            take_result(hook, post);
        hook_post_free(post);
    }
}

static bool is_live(void *ctx, const char *id)
{
    char key[LIMIT_ID + 1], now[HOOK_ID_SIZE];
    const struct hooks *hooks = ctx;
    snprintf(key, sizeof key, "%.*s", (int)strcspn(id, "."), id);
    const struct job *job = job_find(broker_core(hooks->broker), key);
    return job && name_news(job, now) && strcmp(now, id) == 0 &&
           !is_stale(job, broker_now(hooks->broker));
}

void hooks_settle(struct hooks *hooks)
{
    take_results(hooks);
    pass_on(hooks);
    send_due(hooks);
    told_tidy(hooks->told, is_live, hooks);
}

int64_t hooks_next(const struct hooks *hooks)
{
    int64_t now_ms = broker_now(hooks->broker);
    if (hooks->passing || hooks->stirred)
        return now_ms;
    int64_t results_ms = hooks->n_sent > 0 ? now_ms + RESULTS_MS : INT64_MAX;
    return results_ms < hooks->next_ms ? results_ms : hooks->next_ms;
}

/* --- Opening. --- */

static void draw_secret(struct hooks *hooks)
{
    unsigned char bytes[HOOK_SECRET], farm[(FARM_SIZE - 1) / 2];
    randombytes_buf(bytes, sizeof bytes);
    randombytes_buf(farm, sizeof farm);
    memcpy(hooks->secret, PREFIX, sizeof PREFIX);
    sodium_bin2base64(hooks->secret + strlen(PREFIX),
                      SECRET_SIZE - strlen(PREFIX), bytes, sizeof bytes,
                      sodium_base64_VARIANT_ORIGINAL);
    sodium_bin2hex(hooks->farm, FARM_SIZE, farm, sizeof farm);
}

static bool write_secret(struct hooks *hooks, const char *path, char *why,
                         size_t size)
{
    draw_secret(hooks);
    json_t *root =
        json_pack("{s:s,s:s}", "secret", hooks->secret, "farm", hooks->farm);
    bool ok = private_write(path, root, why, size);
    json_decref(root);
    return ok;
}

static bool read_secret(struct hooks *hooks, const char *path, char *why,
                        size_t size)
{
    const char *secret = "", *farm = "";
    json_t *root = private_read(path, KEY_MAX, why, size);
    if (!root)
        return false;
    bool ok =
        json_unpack(root, "{s:s,s:s}", "secret", &secret, "farm", &farm) == 0 &&
        strlen(secret) < SECRET_SIZE && strlen(farm) < FARM_SIZE;
    if (ok) {
        snprintf(hooks->secret, SECRET_SIZE, "%s", secret);
        snprintf(hooks->farm, FARM_SIZE, "%s", farm);
    } else {
        snprintf(why, size, "it has no `secret` and `farm`");
    }
    json_decref(root);
    return ok;
}

static bool secret_bytes(const char *secret, unsigned char ret[HOOK_SECRET])
{
    size_t n = 0, skip = strlen(PREFIX);
    return strncmp(secret, PREFIX, skip) == 0 &&
           sodium_base642bin(ret, HOOK_SECRET, secret + skip,
                             strlen(secret + skip), NULL, &n, NULL,
                             sodium_base64_VARIANT_ORIGINAL) == 0 &&
           n == HOOK_SECRET;
}

static bool open_secret(struct hooks *hooks, const char *dir, char *why,
                        size_t size)
{
    char path[LIMIT_REASON], reason[LIMIT_REASON];
    unsigned char bytes[HOOK_SECRET];
    snprintf(path, sizeof path, "%s/webhooks.key", dir);
    bool there = access(path, F_OK) == 0;
    bool ok = there ? read_secret(hooks, path, reason, sizeof reason)
                    : write_secret(hooks, path, reason, sizeof reason);
    if (ok && !secret_bytes(hooks->secret, bytes)) {
        snprintf(reason, sizeof reason,
                 "`secret` must be %s and %d bytes as "
                 "base64",
                 PREFIX, HOOK_SECRET);
        ok = false;
    }
    if (ok)
        hooks->poster = hook_poster_open(&hooks->gate, bytes);
    else
        snprintf(why, size, "the webhooks' secret %s: %s", path, reason);
    return ok;
}

struct hooks *hooks_open(struct broker *broker,
                         const struct hooks_options *options, char *why,
                         size_t size)
{
    struct hooks *hooks = mem_new(sizeof *hooks);
    hooks->broker = broker;
    hooks->gate = (struct hook_gate){options->allow, options->n_allow};
    hooks->passing = true;
    if (open_secret(hooks, options->dir, why, size))
        hooks->told = told_open(options->dir, why, size);
    if (!hooks->told) {
        hooks_close(&hooks);
        return NULL;
    }
    broker_watch(broker, job_changed, hooks);
    return hooks;
}

void hooks_close(struct hooks **hooks_ref)
{
    struct hooks *hooks = *hooks_ref;
    if (!hooks)
        return;
    hook_poster_close(&hooks->poster);
    while (hooks->list)
        hook_free(hooks->list);
    told_close(&hooks->told);
    mem_free(hooks);
    *hooks_ref = NULL;
}

/* --- What others see. --- */

const char *hooks_secret(const struct hooks *hooks)
{
    return hooks->secret;
}

size_t hooks_waiting(const struct hooks *hooks)
{
    return hooks->n;
}

void hooks_write(const struct hooks *hooks, const struct exposition *to)
{
    static const char name[] = "frameq_webhooks_total";
    exposition_one(to, METRIC_GAUGE, "frameq_webhooks_waiting",
                   "Webhooks not delivered yet.", (double)hooks->n);
    exposition_head(to, METRIC_COUNTER, name,
                    "Webhooks by what came of a try.");
    exposition_with(to, name, "outcome", "delivered", (double)hooks->delivered);
    exposition_with(to, name, "outcome", "failed", (double)hooks->failed);
    exposition_with(to, name, "outcome", "given_up", (double)hooks->given_up);
}
