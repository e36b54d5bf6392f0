/* SPDX-License-Identifier: Apache-2.0
 *
 * frameq-fakenode: Blender nodes without a Blender, for tests. It keeps time
 * as a node would, misbehaves when told to, and writes down all it was asked
 * and did. Not installed.
 */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/app/clock.h"
#include "common/app/conf.h"
#include "common/app/log.h"
#include "common/mem.h"
#include "tests/fake/face.h"

static const char *is_pace(const char *value)
{
    struct pace pace = {0};
    const char *reason = pace_read(&pace, value);
    pace_free(&pace);
    return reason;
}

static const char *is_speed(const char *value)
{
    char *end;
    return strtod(value, &end) > 0 && *end == '\0' ? NULL
                                                   : "is not more than 0";
}

static const char *is_edge(const char *value)
{
    long n = strtol(value, NULL, 10);
    return !conf_is_count(value) && n >= PAINT_LEAST && n <= PAINT_MOST
               ? NULL
               : "is not 8 to 1024";
}

#define CHECK_FRAME trick_is_frame
#define CHECK_TIMES trick_is_times

#define TRICK(id, word, kind, about)                                           \
    {.name = (word),                                                           \
     .argument = #kind,                                                        \
     .help = (about),                                                          \
     .check = CHECK_##kind,                                                    \
     .many = true},

static const struct setting settings[] = {
    {.name = "listen",
     .argument = "ADDR:PORT",
     .fallback = "127.0.0.1:0",
     .help = "Where to listen",
     .check = conf_is_address},
    {.name = "count",
     .argument = "N",
     .fallback = "1",
     .help = "Nodes in this process, each with a port of its own",
     .check = conf_is_count},
    {.name = "frame-ms",
     .argument = "MS",
     .fallback = "100",
     .help = "Time of a frame",
     .check = conf_is_count0},
    {.name = "frame-ms-list",
     .argument = "FILE|lognormal:MEAN,SIGMA,SEED",
     .help = "Times of frames 0, 1, ...: one a line, or drawn",
     .check = is_pace},
    {.name = "overhead-ms",
     .argument = "MS",
     .fallback = "0",
     .help = "Time of a launch before its first frame",
     .check = conf_is_count0},
    {.name = "speed",
     .argument = "X",
     .fallback = "1",
     .help = "Divides every time",
     .check = is_speed},
    {.name = "slots",
     .argument = "N",
     .fallback = "0",
     .help = "Launches at once; more are refused; 0: no limit",
     .check = conf_is_count0},
    {.name = "frames-dir",
     .argument = "DIR",
     .fallback = "",
     .help = "Where to write a small picture for each frame"},
    {.name = "picture-px",
     .argument = "N",
     .fallback = "8",
     .help = "How wide these are; from 9 on there is something to see",
     .check = is_edge},
    {.name = "log",
     .argument = "FILE",
     .fallback = "",
     .help = "Append what happens to FILE, one JSON object a line"},
    {.name = "superset",
     .help = "Speak what frameq-node adds to the classic API"},
#include "tests/fake/tricks.def"
};
#undef TRICK

static const struct conf_program program = {
    .name = "frameq-fakenode",
    .usage = "",
    .about = "Nodes that render nothing, in the time a real one would take.",
    .settings = settings,
    .n = sizeof settings / sizeof *settings,
};

struct fakes {
    struct habits habits;
    struct face *faces;
    size_t n;
    struct pollfd *fds; /* faces, then signals */
};

static void read_habits(const struct conf *conf, struct habits *ret)
{
    const char *list = conf_get(conf, "frame-ms-list");
    ret->pace.frame_ms = (double)conf_number(conf, "frame-ms");
    ret->pace.overhead_ms = conf_number(conf, "overhead-ms");
    ret->pace.speed = strtod(conf_get(conf, "speed"), NULL);
    if (list != NULL)
        pace_read(&ret->pace, list);
    ret->slots = (int32_t)conf_number(conf, "slots");
    ret->superset = conf_on(conf, "superset");
    ret->frames_dir = conf_get(conf, "frames-dir");
    ret->picture_px = (int)conf_number(conf, "picture-px");
    ret->diary = diary_open(conf_get(conf, "log"));
    if (ret->diary == NULL)
        log_fatal(1, "cannot open the file of --log");
}

static void read_tricks(const struct conf *conf, struct tricks *ret)
{
    for (int trick = 0; trick < TRICKS; trick++) {
        const char *word = trick_word((enum trick)trick);
        const char *const *values;
        size_t n = conf_many(conf, word, &values);
        for (size_t i = 0; i < n; i++)
            tricks_arm(ret, word, values[i]);
    }
}

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

static void open_faces(struct fakes *fakes, const struct conf *conf)
{
    char host[256], why[256];
    int port = conf_address(conf_get(conf, "listen"), host, sizeof host);
    fakes->n = (size_t)conf_number(conf, "count");
    fakes->faces = mem_new(fakes->n * sizeof *fakes->faces);
    fakes->fds = mem_new((fakes->n + 1) * sizeof *fakes->fds);
    for (size_t i = 0; i < fakes->n; i++) {
        struct face *face = &fakes->faces[i];
        int nth = port == 0 ? 0 : port + (int)i;
        read_tricks(conf, &face->node.tricks);
        if (!face_open(face, &fakes->habits, host, nth, why, sizeof why))
            log_fatal(1, "%s", why);
        fakes->fds[i] =
            (struct pollfd){.fd = httpd_fd(face->httpd), .events = POLLIN};
    }
    fakes->fds[fakes->n] =
        (struct pollfd){.fd = open_signals(), .events = POLLIN};
}

static void say_ready(const struct fakes *fakes, const struct conf *conf)
{
    char host[256];
    (void)conf_address(conf_get(conf, "listen"), host, sizeof host);
    fputs("ready", stdout);
    for (size_t i = 0; i < fakes->n; i++)
        printf(" node=%s:%d", host, fakes->faces[i].node.port);
    puts("");
    fflush(stdout);
}

static int wait_ms(const struct fakes *fakes, int64_t now_ms)
{
    int64_t next_ms = now_ms + 60000;
    for (size_t i = 0; i < fakes->n; i++) {
        int64_t at_ms = face_next(&fakes->faces[i], now_ms);
        if (at_ms < next_ms)
            next_ms = at_ms;
    }
    return next_ms <= now_ms ? 0 : (int)(next_ms - now_ms);
}

static void serve(struct fakes *fakes)
{
    while (fakes->fds[fakes->n].revents == 0) {
        int64_t now_ms = clock_now_ms();
        for (size_t i = 0; i < fakes->n; i++)
            face_step(&fakes->faces[i], now_ms);
        poll(fakes->fds, fakes->n + 1, wait_ms(fakes, clock_now_ms()));
    }
}

static void close_fakes(struct fakes *fakes)
{
    for (size_t i = 0; i < fakes->n; i++)
        face_close(&fakes->faces[i]);
    close(fakes->fds[fakes->n].fd);
    diary_close(&fakes->habits.diary);
    pace_free(&fakes->habits.pace);
    mem_free(fakes->faces);
    mem_free(fakes->fds);
}

int main(int argc, char **argv)
{
    struct fakes fakes = {0};
    log_open(program.name);
    struct conf *conf = conf_load(&program, argc, argv);
    read_habits(conf, &fakes.habits);
    open_faces(&fakes, conf);
    say_ready(&fakes, conf);
    serve(&fakes);
    close_fakes(&fakes);
    conf_free(&conf);
    return 0;
}
