/* SPDX-License-Identifier: Apache-2.0
 *
 * What is wrong with a .blend, in words an artist knows. The judging is the
 * node's own (driver.py), so that nothing is found here which a node would
 * render, and nothing passes that it would refuse.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/doc.h"
#include "cli/doctor/doctor.h"

#define NAMES 3

void doctor_names(const json_t *names, struct buf *out)
{
    size_t n = json_array_size(names);
    for (size_t i = 0; i < n && i < NAMES; i++)
        buf_print(out, "%s%s", i == 0 ? "" : ", ",
                  json_string_value(json_array_get(names, i)));
    if (n > NAMES)
        buf_print(out, " and %zu more", n - NAMES);
}

static bool has_text(const json_t *list, const char *text)
{
    size_t i;
    const json_t *item;
    json_array_foreach((json_t *)(uintptr_t)list, i, item)
    {
        if (strcmp(json_string_value(item), text) == 0)
            return true;
    }
    return false;
}

/* Lists that mean a fault as soon as anything stands in them. */
static const struct {
    const char *member, *what, *mend;
    enum finding_kind kind;
} lists[] = {
    {"libraries_missing", "missing library",
     "Put the .blend it links from there, or point the link elsewhere in "
     "Blender (Outliner > Blender File, right click > Relocate), and save.",
     FINDING_LIBRARY_MISSING},
    {"textures_missing", "missing texture",
     "Put it there, or find it in Blender (File > External Data > Find Missing "
     "Files) and save; `frameq submit --missing-files allow` renders without.",
     FINDING_TEXTURE_MISSING},
    {"files_missing", "missing file",
     "Put it there, or find it in Blender (File > External Data > Find Missing "
     "Files) and save; `frameq submit --missing-files allow` renders without.",
     FINDING_FILE_MISSING},
    {"unbaked", "unbaked simulation",
     "Bake it in Blender (Physics properties > Cache > Bake) and save: frames "
     "are rendered apart, and each would begin the simulation anew.",
     FINDING_UNBAKED},
    {"absolute", "absolute path",
     "In Blender: File > External Data > Make All Paths Relative, and save; or "
     "`frameq submit --upload on`, which sends the files along.",
     FINDING_ABSOLUTE_PATH},
};

static void look_at_list(const json_t *scene, size_t i,
                         struct findings *findings)
{
    const json_t *list = json_object_get(scene, lists[i].member);
    if (json_array_size(list) == 0)
        return;
    struct finding *finding = finding_add(findings, lists[i].kind);
    buf_print(&finding->what, "%s: ", lists[i].what);
    doctor_names(list, &finding->what);
    const char *first = json_string_value(json_array_get(list, 0));
    if (lists[i].kind != FINDING_ABSOLUTE_PATH &&
        has_text(json_object_get(scene, "absolute"), first))
        buf_print(&finding->what, " (an absolute path)");
    buf_print(&finding->mend, "%s", lists[i].mend);
}

static void look_at_camera(const json_t *scene, struct findings *findings)
{
    if (!doc_has(scene, "no_camera"))
        return;
    struct finding *finding = finding_add(findings, FINDING_NO_CAMERA);
    buf_print(&finding->what, "no camera: %s", doc_text(scene, "no_camera"));
    buf_print(&finding->mend,
              "Add one in Blender (Add > Camera) and save, or name one that is "
              "there: frameq submit --camera NAME.");
}

static void look_at_engine(const json_t *scene, struct findings *findings)
{
    if (!doc_has(scene, "engine_unknown"))
        return;
    struct finding *finding = finding_add(findings, FINDING_ENGINE_UNKNOWN);
    buf_print(&finding->what,
              "unknown engine: %s is none of Blender's own, and nodes have no "
              "others",
              doc_text(scene, "engine_unknown"));
    buf_print(&finding->mend,
              "Choose another in Blender (Render properties > Render Engine) "
              "and save, or submit with one: frameq submit --engine CYCLES.");
}

static void look_at_scripts(const json_t *scene, struct findings *findings)
{
    const char *said = doc_text(scene, "script_blocked");
    if (*said == '\0')
        return;
    bool driver = strncmp(said, "Driver", strlen("Driver")) == 0;
    struct finding *finding = finding_add(findings, FINDING_SCRIPT_BLOCKED);
    buf_print(&finding->what, "blocked %s: Python in a .blend may not run: %s",
              driver ? "driver" : "script", said);
    buf_print(&finding->mend,
              "Submit with `frameq submit --scripts on`, for nodes started "
              "with --allow-scripts; or %s in Blender and save.",
              driver ? "bake the driver, or write it without Python,"
                     : "do without the script");
}

static void look_at_format(const json_t *scene, struct findings *findings)
{
    if (!doc_on(scene, "movie"))
        return;
    struct finding *finding = finding_add(findings, FINDING_MOVIE_OUTPUT);
    buf_print(&finding->what,
              "movie output: the .blend writes one %s file, and a farm renders "
              "frames",
              doc_text(scene, "format"));
    buf_print(&finding->mend,
              "Choose PNG or OpenEXR in Blender (Output properties > File "
              "Format) and save, or `frameq submit --format PNG`; `frameq "
              "movie JOB` makes the movie of it.");
}

void doctor_scene(const json_t *scene, struct findings *findings)
{
    size_t before = findings->n;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        look_at_list(scene, i, findings);
    look_at_camera(scene, findings);
    look_at_engine(scene, findings);
    look_at_scripts(scene, findings);
    look_at_format(scene, findings);
    if (findings->n == before)
        findings_well(findings,
                      "the scene's files, camera, engine, scripts, simulations "
                      "and output");
}

/* "4.2" of "4.2.1" as 402; 0: none. */
static long version_number(const char *text)
{
    char *end;
    long major = strtol(text, &end, 10);
    return *end == '.' ? major * 100 + strtol(end + 1, NULL, 10) : 0;
}

void doctor_scene_versions(const json_t *scene, const json_t *agents,
                           struct findings *findings)
{
    size_t i;
    const json_t *agent;
    const char *saved = doc_text(scene, "blender");
    json_array_foreach((json_t *)(uintptr_t)agents, i, agent)
    {
        const json_t *node = json_object_get(agent, "node");
        long has = version_number(doc_text(node, "blender"));
        if (has == 0 || has >= version_number(saved))
            continue;
        struct finding *finding = finding_add(findings, FINDING_BLEND_NEWER);
        buf_print(&finding->what,
                  "saved by Blender %s, but %s renders with Blender %s", saved,
                  doc_text(agent, "name"), doc_text(node, "blender"));
        buf_print(&finding->mend,
                  "Install Blender %s on that machine, or keep the job to "
                  "others by a tag: frameq submit --tag TAG.",
                  saved);
        return;
    }
}
