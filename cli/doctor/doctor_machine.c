/* SPDX-License-Identifier: Apache-2.0
 *
 * What this machine has: Blender, ffmpeg, room on the disk.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/doctor/doctor.h"
#include "cli/run.h"

#define VERSION_MS 60000 /* Blender's first start after a boot is slow */
#define DISK_LOW   (256ull << 20) /* a few large frames */

/* The first line of what a program says of its version, "Blender 3.4.1". */
static enum run version_of(const char *const *argv, char *ret, size_t size,
                           char *why, size_t why_size)
{
    char text[256] = "";
    int out = memfd_create("version", MFD_CLOEXEC);
    enum run ran = run(argv, out, VERSION_MS, why, why_size);
    ssize_t n = out < 0 ? 0 : pread(out, text, sizeof text - 1, 0);
    if (n > 0)
        text[strcspn(text, "\n")] = '\0';
    snprintf(ret, size, "%s", text);
    if (out >= 0)
        close(out);
    return ran;
}

void doctor_blender_missing(enum finding_kind kind, const char *blender,
                            const char *why, struct findings *findings)
{
    struct finding *finding = finding_add(findings, kind);
    buf_print(&finding->what, "Blender missing: `%s` does not run here: %s",
              blender, why);
    buf_print(&finding->mend,
              "Install it (apt install blender), or name it by --blender PATH; "
              "it is needed to render here, and to send a .blend with its "
              "files.");
}

static void look_for_blender(const char *blender, struct findings *findings)
{
    const char *const argv[] = {blender, "--version", NULL};
    char text[64], why[128];
    if (version_of(argv, text, sizeof text, why, sizeof why) == RUN_WELL)
        findings_well(findings, "%s here", text);
    else
        doctor_blender_missing(FINDING_BLENDER_MISSING, blender, why, findings);
}

static void look_for_ffmpeg(struct findings *findings)
{
    static const char *const argv[] = {"ffmpeg", "-version", NULL};
    char text[64], why[128];
    if (version_of(argv, text, sizeof text, why, sizeof why) == RUN_WELL) {
        findings_well(findings, "ffmpeg");
        return;
    }
    struct finding *finding = finding_note(findings, FINDING_FFMPEG);
    buf_print(&finding->what, "ffmpeg does not run here: %s", why);
    buf_print(&finding->mend, "Movies need it: apt install ffmpeg. Frames "
                              "render without.");
}

static void look_at_disk(const char *folder, struct findings *findings)
{
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0) {
        struct finding *finding = finding_add(findings, FINDING_DISK);
        buf_print(&finding->what, "no folder %s: %s", folder, strerror(errno));
        buf_print(&finding->mend, "Name one that is there: --output DIR.");
        return;
    }
    unsigned long long left = (unsigned long long)disk.f_bavail * disk.f_frsize;
    if (left >= DISK_LOW) {
        findings_well(findings, "%.0f GB free in %.128s", (double)left / 1e9,
                      folder);
        return;
    }
    struct finding *finding = finding_add(findings, FINDING_DISK);
    buf_print(&finding->what, "disk full: only %.1f MB are free in %s",
              (double)left / 1e6, folder);
    buf_print(&finding->mend, "Make room there, or have frames come elsewhere: "
                              "frameq fetch JOB DIR.");
}

void doctor_machine(const char *blender, const char *folder,
                    struct findings *findings)
{
    if (blender != NULL)
        look_for_blender(blender, findings);
    look_for_ffmpeg(findings);
    look_at_disk(folder, findings);
}
