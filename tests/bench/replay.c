/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-bench replay: what a ledger of ended jobs costs at the start and on
 * the disk, as it was written and once it is packed. Drives the ledger itself,
 * without its thread, so that each step of packing can be timed.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "broker/core/state.h"
#include "broker/ledger/ledger.h"
#include "broker/ledger/record.h"
#include "common/app/conf.h"
#include "common/app/log.h"
#include "common/limits.h"
#include "tests/bench/bench.h"
#include "tests/bench/child.h"
#include "tests/bench/figures.h"

#define WHY_SIZE    512
#define LEASE_SIZE  10     /* frames */
#define BATCH_BYTES 200000 /* of one transaction */

static const struct setting settings[] = {
    {.name = "jobs",
     .argument = "N",
     .fallback = "1000",
     .help = "Jobs that have ended",
     .check = conf_is_count},
    {.name = "frames",
     .argument = "N",
     .fallback = "100",
     .help = "Frames of each",
     .check = conf_is_count},
    BENCH_SETTING_DIR,
    BENCH_SETTING_JSON,
};

static const struct conf_program program = {
    .name = "frameq-bench replay",
    .usage = "",
    .about = "Measures the start of a broker whose jobs have all ended: "
             "processor time of the replay and size of ledger.db, as it was "
             "written and packed, and the steps of packing.",
    .epilog = "  frameq-bench replay --jobs 1000 --frames 1000\n",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

struct trial {
    int64_t jobs, frames;
    struct child child; /* its folder alone */
    struct ledger *ledger;
    struct core *core;
    struct buf records;
    uint64_t seq, lease, dice;
    char why[WHY_SIZE];
};

struct look {
    double replay_ms, mib;
    uint64_t digest;
};

static double cpu_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void must(const struct trial *trial, bool good)
{
    if (!good)
        log_fatal(1, "%s", trial->why);
}

static void open_ledger(struct trial *trial)
{
    trial->ledger = ledger_open(trial->child.folder, LEDGER_SERVE, trial->why,
                                sizeof trial->why);
    must(trial, trial->ledger != NULL);
}

static void begin(struct trial *trial)
{
    uint64_t epoch;
    must(trial, ledger_begin(trial->ledger, &epoch, trial->why,
                             sizeof trial->why) == LEDGER_OK);
}

/* --- Writing. --- */

static void flush(struct trial *trial)
{
    must(trial, ledger_write(trial->ledger, &trial->records, NULL, trial->why,
                             sizeof trial->why) == LEDGER_OK &&
                    ledger_tend(trial->ledger, trial->why, sizeof trial->why) ==
                        LEDGER_OK);
    buf_clear(&trial->records);
}

static void add(struct trial *trial, struct event event)
{
    size_t start = trial->records.len;
    uint32_t len = 0;
    event.at_ms = 1700000000000 + (int64_t)++trial->seq * 20;
    buf_add(&trial->records, &len, sizeof len);
    record_encode(&event, &trial->records);
    len = (uint32_t)(trial->records.len - start - sizeof len);
    memcpy(trial->records.data + start, &len, sizeof len);
    if (trial->records.len >= BATCH_BYTES)
        flush(trial);
}

static uint64_t roll(struct trial *trial)
{
    trial->dice = trial->dice * 6364136223846793005u + 1442695040888963407u;
    return trial->dice >> 16;
}

static void submit(struct trial *trial, const char *id, int64_t number)
{
    char doc[512];
    struct span span = {1, (int32_t)trial->frames, 1, 0};
    snprintf(doc, sizeof doc,
             "{\"frames\":\"1-%" PRId64 "\",\"name\":\"shot_%04" PRId64
             "\",\"blend\":\"/farm/shows/show/shot_%04" PRId64
             "/lighting.blend\",\"output\":\"/farm/out/shot_%04" PRId64
             "/beauty_####\",\"engine\":\"CYCLES\",\"samples\":256,"
             "\"requires\":{\"tags\":[\"gpu\"]}}",
             trial->frames, number, number, number);
    struct job_spec spec = {.id = id,
                            .name = "shot",
                            .user = "anna",
                            .frames = {&span, 1, (int32_t)trial->frames},
                            .priority = 50,
                            .render = doc,
                            .doc = doc};
    add(trial, (struct event){.type = EVENT_SUBMITTED, .spec = &spec});
}

static void finish(struct trial *trial, const struct event *lease, int32_t at,
                   int64_t number)
{
    char files[512];
    snprintf(files, sizeof files,
             "[{\"path\":\"/farm/out/shot_%04" PRId64 "/beauty_%04d.png\","
             "\"bytes\":%" PRIu64 ",\"sha256\":\"%016" PRIx64 "%016" PRIx64
             "%016" PRIx64 "%016" PRIx64 "\"}]",
             number, at + 1, 1000000 + roll(trial) % 1000000,
             roll(trial) << 16 ^ roll(trial), roll(trial) << 16 ^ roll(trial),
             roll(trial) << 16 ^ roll(trial), roll(trial) << 16 ^ roll(trial));
    struct event event = *lease;
    event.type = EVENT_DONE;
    event.lo = at;
    event.hi = at + 1;
    event.number = (int32_t)(20000 + roll(trial) % 10000);
    event.text = files;
    event.detail = "4.2.3";
    add(trial, event);
}

static void render(struct trial *trial, const char *id, int64_t number)
{
    for (int32_t at = 0; at < trial->frames;) {
        int32_t left = (int32_t)trial->frames - at;
        char agent[32];
        snprintf(agent, sizeof agent, "render-%02d.local",
                 (int)(roll(trial) % 20));
        struct event lease = {.type = EVENT_LEASED,
                              .job = id,
                              .agent = agent,
                              .lease = LEASE_ID(1, ++trial->lease),
                              .lo = at,
                              .hi =
                                  at + (left < LEASE_SIZE ? left : LEASE_SIZE)};
        add(trial, lease);
        while (at < lease.hi)
            finish(trial, &lease, at++, number);
        lease.type = EVENT_RELEASED;
        add(trial, lease);
    }
}

static void job_id(char id[32], int64_t number)
{
    snprintf(id, 32, "bench-job-%010" PRId64, number);
}

static void write_jobs(struct trial *trial)
{
    char id[32];
    buf_init(&trial->records, LIMIT_LEDGER_QUEUE);
    open_ledger(trial);
    begin(trial);
    for (int64_t i = 0; i < trial->jobs; i++) {
        job_id(id, i);
        submit(trial, id, i);
        render(trial, id, i);
    }
    if (trial->records.len > 0)
        flush(trial);
    buf_free(&trial->records);
    ledger_close(&trial->ledger);
}

/* --- Looking. --- */

static void replay_into(void *ctx, const struct event *event)
{
    struct trial *trial = ctx;
    char why[WHY_SIZE];
    if (!core_replay(trial->core, event, why, sizeof why))
        log_fatal(1, "%s", why);
}

static double size_mib(const struct trial *trial)
{
    char path[PATH_MAX + 16];
    struct stat file;
    snprintf(path, sizeof path, "%s/ledger.db", trial->child.folder);
    return stat(path, &file) == 0 ? (double)file.st_size / 1048576 : 0;
}

/* As a start does it. */
static struct look look(struct trial *trial)
{
    static const struct core_options options = {.max_attempts = 3,
                                                .lease_ttl_ms = 15000,
                                                .orphan_grace_ms = -1,
                                                .jobs_max = LIMIT_JOBS,
                                                .agents_max = LIMIT_AGENTS};
    struct look look = {.mib = size_mib(trial)};
    double from_ms = cpu_ms();
    trial->core = core_new(&options);
    open_ledger(trial);
    must(trial, ledger_replay(trial->ledger, replay_into, trial, trial->why,
                              sizeof trial->why) >= 0);
    look.replay_ms = cpu_ms() - from_ms;
    look.digest = core_digest(trial->core);
    ledger_close(&trial->ledger);
    core_free(&trial->core);
    return look;
}

/* --- Packing. --- */

static void pack_step(struct trial *trial)
{
    struct ledger *ledger = trial->ledger;
    enum ledger_rc rc = ledger_tend(ledger, trial->why, sizeof trial->why);
    if (rc == LEDGER_OK && ledger->purge)
        rc = ledger_purge(ledger, trial->why, sizeof trial->why);
    if (rc == LEDGER_OK && ledger->pack)
        rc = ledger_pack(ledger, trial->why, sizeof trial->why);
    must(trial, rc == LEDGER_OK);
}

static double pack(struct trial *trial, struct figures *steps)
{
    char id[32];
    open_ledger(trial);
    begin(trial);
    double from_ms = cpu_ms();
    for (int64_t i = 0; i < trial->jobs; i++) {
        job_id(id, i);
        pack_add(trial->ledger, id);
    }
    while (trial->ledger->pack || trial->ledger->purge) {
        double step_ms = cpu_ms();
        pack_step(trial);
        figures_add(steps, (int64_t)((cpu_ms() - step_ms) * 1000));
    }
    double took_ms = cpu_ms() - from_ms;
    ledger_close(&trial->ledger);
    return took_ms;
}

static void print_json(const struct trial *trial, const struct look *before,
                       const struct look *after, double pack_ms,
                       struct figures *steps)
{
    printf("{\"bench\":\"replay\",\"jobs\":%" PRId64 ",\"frames\":%" PRId64
           ",\"replay_ms\":%.1f,\"mib\":%.1f,\"packed_replay_ms\":%.1f,"
           "\"packed_mib\":%.1f,\"pack_ms\":%.0f,\"step_p50_us\":%" PRId64
           ",\"step_p99_us\":%" PRId64 ",\"step_max_us\":%" PRId64 "}\n",
           trial->jobs, trial->jobs * trial->frames, before->replay_ms,
           before->mib, after->replay_ms, after->mib, pack_ms,
           figures_quantile(steps, 0.5), figures_quantile(steps, 0.99),
           figures_quantile(steps, 1));
}

static void print_people(const struct trial *trial, const struct look *before,
                         const struct look *after, double pack_ms,
                         struct figures *steps)
{
    printf("%" PRId64 " ended jobs, %" PRId64 " frames: replay %.1f ms of "
           "processor time, %.1f MiB; packed %.1f ms, %.1f MiB; packing %.0f "
           "ms in steps of %.1f ms (p50), %.1f (p99), %.1f (longest)\n",
           trial->jobs, trial->jobs * trial->frames, before->replay_ms,
           before->mib, after->replay_ms, after->mib, pack_ms,
           (double)figures_quantile(steps, 0.5) / 1000,
           (double)figures_quantile(steps, 0.99) / 1000,
           (double)figures_quantile(steps, 1) / 1000);
}

int bench_replay(int argc, char **argv)
{
    struct conf *conf = conf_load(&program, argc, argv);
    struct trial trial = {.jobs = conf_number(conf, "jobs"),
                          .frames = conf_number(conf, "frames")};
    struct figures steps = {0};
    if (trial.jobs > LIMIT_JOBS || trial.frames > LIMIT_FRAMES)
        log_fatal(2, "--jobs and --frames: more than a broker takes");
    child_init(&trial.child, conf_get(conf, "dir"));
    write_jobs(&trial);
    struct look before = look(&trial);
    double pack_ms = pack(&trial, &steps);
    struct look after = look(&trial);
    if (before.digest != after.digest)
        log_fatal(1, "packed it is another farm");
    (conf_on(conf, "json") ? print_json : print_people)(&trial, &before, &after,
                                                        pack_ms, &steps);
    child_done(&trial.child);
    figures_done(&steps);
    conf_free(&conf);
    return 0;
}
