/* SPDX-License-Identifier: Apache-2.0
 *
 * What frameq doctor looks at, apart from one another: each turns what it is
 * told into findings.
 */
#ifndef FRAMEQ_CLI_DOCTOR_DOCTOR_H
#define FRAMEQ_CLI_DOCTOR_DOCTOR_H

#include <jansson.h>
#include <stdint.h>

#include "cli/cli.h"
#include "cli/doctor/finding.h"

/* doctor_scene: what scan.py tells of a .blend, its member `scene`. Pure. */
void doctor_scene(const json_t *scene, struct findings *findings);

/* doctor_scene_versions: whether the agents' Blenders can read what was saved
 * by the one in scene. Pure. */
void doctor_scene_versions(const json_t *scene, const json_t *agents,
                           struct findings *findings);

/* doctor_farm: GET /v1/farm; doctor_agents: the list of GET /v1/agents. url:
 * the broker's. Pure. */
void doctor_farm(const json_t *farm, struct findings *findings);
void doctor_agents(const json_t *agents, const char *url,
                   struct findings *findings);

/* doctor_clock: how far this machine's clock is ahead of the broker's. Pure. */
void doctor_clock(int64_t ahead_ms, struct findings *findings);

/* doctor_certificate: how long the broker's certificate is good; less than 0:
 * no longer. Pure. */
void doctor_certificate(int64_t left_s, const char *url,
                        struct findings *findings);

/* doctor_broker asks the broker. Returns the list of its agents, owned; NULL
 * where it cannot be had. named: the broker's address was given, so that none
 * being there is a fault. */
json_t *doctor_broker(struct cli *cli, bool named, struct findings *findings);

/* doctor_machine looks for Blender (a path, or a name in PATH) and ffmpeg, and
 * at the room on the disk of a folder. */
void doctor_machine(const char *blender, const char *folder,
                    struct findings *findings);

/* doctor_blender_missing adds that Blender does not run here, and why. */
void doctor_blender_missing(enum finding_kind kind, const char *blender,
                            const char *why, struct findings *findings);

/* doctor_names appends up to three names, and how many more there are. */
void doctor_names(const json_t *names, struct buf *out);

#endif
