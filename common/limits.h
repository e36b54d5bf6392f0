/* SPDX-License-Identifier: Apache-2.0
 *
 * Every bound of frameq, with its reason. Each is enforced where the input
 * comes in and tested at the limit and one past it.
 */
#ifndef FRAMEQ_COMMON_LIMITS_H
#define FRAMEQ_COMMON_LIMITS_H

/* Frames. Blender clamps scene.frame_start and frame_end to 0..1048574. */
#define LIMIT_FRAME_MAX   1048574
#define LIMIT_FRAMES      (LIMIT_FRAME_MAX + 1)
#define LIMIT_FRAME_SPANS 4096  /* parts of a frame expression once united */
#define LIMIT_FRAMES_TEXT 65536 /* bytes of a frame expression */
#define LIMIT_FRAMES_NAMED (8 * LIMIT_FRAMES) /* frames its parts name in sum,
                                                 so that reading is quick */

/* Names: job, user, project, scene, camera, label. */
#define LIMIT_NAME    128 /* bytes of UTF-8; fits every file system's 255 */
#define LIMIT_ID_MIN  16  /* job ids: [A-Za-z0-9_-], random */
#define LIMIT_ID      64
#define LIMIT_AGENT   64   /* [A-Za-z0-9._-] */
#define LIMIT_PATH    1024 /* blend and output */
#define LIMIT_REASON  1024 /* failure texts, cancel reasons */
#define LIMIT_TAGS    32   /* per agent and per job */
#define LIMIT_TAG     64
#define LIMIT_LABELS  32
#define LIMIT_LAYERS  64    /* view_layers of a job */
#define LIMIT_DEPENDS 64    /* depends_on of a job */
#define LIMIT_KEY     128   /* Idempotency-Key */
#define LIMIT_SPEC    65536 /* a job's document as JSON, bytes */

/* Farm. */
#define LIMIT_JOBS   1000000
#define LIMIT_AGENTS 10000 /* five descriptors each */
#define LIMIT_SLOTS  256   /* per agent */
#define LIMIT_BATCH  1000  /* frames of one batch */
#define LIMIT_CLASSIC_BATCH                                                    \
    100 /* a classic node breaks at 1 MiB of Blender                           \
           output, about 210 frames */
#define LIMIT_ATTEMPTS       100
#define LIMIT_UNACKED        64 /* ended leases an agent holds unacknowledged */
#define LIMIT_RESULTS        256 /* frame results in one STATE */
#define LIMIT_LEASES         (LIMIT_SLOTS + LIMIT_UNACKED) /* in one STATE */
#define LIMIT_FILES          4096 /* bytes of one frame's file list as JSON */
#define LIMIT_MESSAGE        (1024 * 1024) /* ZMQ_MAXMSGSIZE */
#define LIMIT_DRAIN_PER_TURN 500 /* messages taken from one socket a turn */

/* HTTP. */
#define LIMIT_BODY         (1024 * 1024)
#define LIMIT_BODY_DROPPED (32 * 1024 * 1024) /* read and dropped after 413 */
#define LIMIT_DROP_MS      2000
#define LIMIT_CONNECTIONS  12000
#define LIMIT_REQUEST_MS   30000 /* headers and body must be in by then */
#define LIMIT_SSE          1000  /* open event streams */
#define LIMIT_SSE_BEHIND   (256 * 1024) /* bytes unsent before `reset` */
#define LIMIT_PARKED       10000 /* requests waiting for a commit or a change */
#define LIMIT_PAGE         1000  /* items of one list answer */
#define LIMIT_FEED_RING    16384 /* events kept for Last-Event-ID */
#define LIMIT_WAIT_MS      60000 /* Prefer: wait and ?wait= */

/* Node. */
#define LIMIT_NODE_QUEUE  64           /* jobs a node remembers as ended */
#define LIMIT_LOG         (256 * 1024) /* bytes kept of an attempt's log */
#define LIMIT_LOG_TAIL    4096         /* bytes of log in a failure text */
#define LIMIT_PICTURE     (1024L * 1024 * 1024) /* bytes of one picture file */
#define LIMIT_PIXELS      (65536L) /* width or height of a picture */
#define LIMIT_FRAME_FILES 64       /* files of one frame */
#define LIMIT_THUMB_EDGE  320
#define LIMIT_THUMB       65536

#endif
