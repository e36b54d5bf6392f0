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
/* Frames that the parts of an expression name in sum: reading stays quick. */
#define LIMIT_FRAMES_NAMED (8 * LIMIT_FRAMES)

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
#define LIMIT_TRACE   55    /* a traceparent header of version 00 */
#define LIMIT_SPEC    65536 /* a job's document as JSON, bytes */
/* Hashes of its .blend that a job tells of; others are left out. */
#define LIMIT_VERSIONS 16

/* Settings. */
#define LIMIT_CONF (256 * 1024) /* bytes of a --config file */
/* CZMQ 4.2 reads past its buffer on longer lines. */
#define LIMIT_CONF_LINE 1024

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
#define LIMIT_LEASES         (LIMIT_SLOTS + LIMIT_UNACKED)  /* in one STATE */
#define LIMIT_ACKS           (LIMIT_RESULTS + LIMIT_LEASES) /* one for each */
#define LIMIT_FILES          4096 /* bytes of one frame's file list as JSON */
#define LIMIT_MESSAGE        (1024 * 1024) /* ZMQ_MAXMSGSIZE */
#define LIMIT_PARTS          8             /* of a message; ours have two */
#define LIMIT_DRAIN_PER_TURN 200 /* messages taken from one socket a turn */
#define LIMIT_READ_MS        5   /* ... and for how long at most */
#define LIMIT_TOPIC          240 /* bytes; libzmq 4.3.4 garbles 246 to 255 */
/* Bytes of all topics subscribed to on one socket; two for each of LIMIT_AGENTS
 * are half of it. libzmq needs up to 50 bytes for each. */
#define LIMIT_TOPICS          (1024 * 1024)
#define LIMIT_TOPICS_PER_TURN 5000 /* taken from one socket a turn */

/* HTTP. */
#define LIMIT_JSON_DEPTH 32 /* the parser recurses; job fields need 3 */
#define LIMIT_BODY       (1024 * 1024)
#define LIMIT_BODY_QUICK                                                       \
    65536 /* larger ones are handled one a turn: JSON of                       \
            LIMIT_BODY takes 10 ms to read */
#define LIMIT_BODY_DROPPED (32 * 1024 * 1024) /* read and dropped after 413 */
#define LIMIT_DROP_MS      2000
#define LIMIT_LINGERERS    64 /* clients being so dropped; the oldest goes */
/* Connections at once, and at most half of the descriptors the process may
 * have. The oldest idle one goes when another comes. */
#define LIMIT_CONNECTIONS 12000
#define LIMIT_HEAD        16384 /* bytes of a request line and its headers */
#define LIMIT_TARGET      8000  /* bytes of a request target */
#define LIMIT_HEADERS     100   /* headers, cookies and parameters, each */
#define LIMIT_REQUEST_MS  10000 /* a request must be in by then, and for ... */
#define LIMIT_BODY_PACE   65536 /* ... this many bytes of body a second more */
#define LIMIT_IDLE_MS     30000 /* a connection between two requests */
#define LIMIT_TOKENS      1000  /* of one farm */
#define LIMIT_PROXIES     64    /* addresses and networks of --proxy */
#define LIMIT_CERT        65536 /* bytes of --tls-cert, and of --tls-key */
#define LIMIT_SSE         1000  /* open event streams */
#define LIMIT_SSE_BEHIND  (256 * 1024) /* bytes unsent before `reset` */
#define LIMIT_PARKED      10000 /* requests waiting for a commit or a change */
#define LIMIT_PAGE        1000  /* items of one list answer */
#define LIMIT_FEED_RING   16384 /* events kept for Last-Event-ID */
#define LIMIT_HOOKS       10000 /* webhooks waiting; others are found later */
#define LIMIT_HOOKS_OPEN  16    /* of them, being posted */
#define LIMIT_WAIT_MS     60000 /* Prefer: wait and ?wait= */

/* Uploaded scenes. */
#define LIMIT_BLOB      (256LL * 1024 * 1024 * 1024) /* bytes of one file */
#define LIMIT_STORE_PUT (5LL * 1024 * 1024 * 1024)   /* one PUT of S3's */
#define LIMIT_BLOBS     1000000 /* files kept; a look at each is 2 us */
#define LIMIT_MANIFEST  8000 /* files of a scene: as JSON within LIMIT_BODY */
#define LIMIT_PUTS      64   /* pieces of LIMIT_BODY waiting for the disk */
/* No file goes sooner after somebody asked for it: a job is about to name it.
 */
#define LIMIT_BLOB_FRESH_MS 3600000
#define LIMIT_BLOB_PART_MS  86400000 /* an upload that does not get on */

/* Logs and thumbnails of frames. */
#define LIMIT_ARTIFACTS     (8LL * 1024 * 1024 * 1024) /* bytes of all together */
#define LIMIT_ARTIFACT_PUTS 256 /* waiting for the disk: LIMIT_LOG each */
#define LIMIT_LIVE_LOGS     32  /* followed at once: LIMIT_LOG each, a second */
/* Pictures that agents were asked for and do not have: the last few. */
#define LIMIT_GONE        64 /* one costs 300 bytes; past it one is asked again */
#define LIMIT_GONE_REASON 200 /* bytes of why, the rest is cut */
/* Movies of jobs. */
#define LIMIT_MOVIE        (16LL * 1024 * 1024 * 1024) /* bytes of one */
#define LIMIT_MOVIE_MS     1800000 /* ffmpeg's time for one */
#define LIMIT_MOVIE_FRAMES 100000  /* over an hour; a link for each */
#define LIMIT_MOVIES       16      /* waiting to be made, one at a time */

/* Ledger. */
#define LIMIT_RECORD                                                           \
    (8 * 1024 * 1024) /* bytes of one event: every other frame of LIMIT_FRAMES \
                         as ranges is 5.5 MiB */
#define LIMIT_LEDGER_BEHIND                                                    \
    (16 * 1024 * 1024) /* bytes queued for the disk: no new jobs past it */
#define LIMIT_LEDGER_QUEUE                                                     \
    (1024 * 1024 * 1024) /* past it the disk will not recover: the end */
#define LIMIT_BALLAST  (8 * 1024 * 1024)  /* given up on a full disk */
#define LIMIT_DISK_LOW (32 * 1024 * 1024) /* free bytes: no new jobs */
#define LIMIT_ACTIVITY 100000             /* rows of who did what; some 15 MB */
#define LIMIT_FAILED_FACTS                                                     \
    10000 /* rows one failed job writes; the rest of its                       \
            frames have the job's reason */

/* Command line. */
#define LIMIT_HASHES 20000 /* files a submitter remembers: two large scenes */
#define LIMIT_ANSWER                                                           \
    (64 * 1024 * 1024) /* one answer of the broker: a page of LIMIT_PAGE       \
                          frames with LIMIT_FILES each is 5 MiB */

/* Node. */
#define LIMIT_NODE_QUEUE 64           /* jobs a node remembers as ended */
#define LIMIT_LOG        (256 * 1024) /* bytes kept of an attempt's log */
#define LIMIT_LOG_TAIL   4096         /* bytes of log in a failure text */
#define LIMIT_PICTURE    (1024L * 1024 * 1024) /* bytes of one picture file */
#define LIMIT_PIXELS     (65536L) /* width or height of a picture */
#define LIMIT_PNG_PIECE                                                        \
    (8 * 1024 * 1024)        /* bytes of one row, text or profile of a PNG */
#define LIMIT_FRAME_FILES 64 /* files of one frame */
#define LIMIT_THUMB_EDGE  320
#define LIMIT_THUMB       65536
#define LIMIT_NODE_THUMBS 64    /* thumbnails a job keeps, newest first */
#define LIMIT_NODE_PROOFS 2     /* frames proven beside the rendering */
#define LIMIT_PROOF_CPU   600   /* seconds of CPU to prove one frame */
#define LIMIT_EVENT       65536 /* bytes of one line from Blender's driver */
#define LIMIT_DISK_FREE   (1024 * 1024) /* less than this free is a full disk */
#define LIMIT_SILENCE_MS  600000 /* without output and CPU time: it hangs */

#endif
