/* SPDX-License-Identifier: Apache-2.0
 *
 * Stands in for libFuzzer where the compiler has none: puts every file of the
 * folders named on the command line through the target once. Looks for
 * nothing new.
 */
#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/buf.h"

#define INPUT_MAX (8 * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void run_file(const char *path)
{
    char piece[4096];
    size_t n;
    struct buf bytes;
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return; /* a folder, for one */
    buf_init(&bytes, INPUT_MAX);
    while ((n = fread(piece, 1, sizeof piece, file)) > 0)
        buf_add(&bytes, piece, n);
    fclose(file);
    LLVMFuzzerTestOneInput((const uint8_t *)buf_text(&bytes), bytes.len);
    buf_free(&bytes);
}

/* Returns how many files there were, or -1 for no folder. */
static int run_folder(const char *folder)
{
    char path[4096];
    int n = 0;
    DIR *dir = opendir(folder);
    if (dir == NULL)
        return -1;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        run_file(path);
        n++;
    }
    closedir(dir);
    return n;
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        int n = run_folder(argv[i]);
        printf("%s: %d files\n", argv[i], n);
        if (n <= 0)
            return 1;
    }
    return 0;
}
