/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes are a list of files that stay below their folder, none in the way
 * of another, and are written again as they were read; or are refused with a
 * reason. Broker and agents read it from whoever may submit.
 */
#include "common/app/manifest.h"

#include <assert.h>
#include <string.h>

#include "common/limits.h"
#include "common/mem.h"
#include "common/text.h"

#define PAIRS_MOST 64 /* files whose places are compared with all others */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void check_file(const struct manifest_file *file)
{
    const char *part = file->path;
    assert(blob_is_name(file->name) && file->size <= LIMIT_BLOB);
    assert(strlen(file->path) <= LIMIT_PATH);
    assert(text_is_plain(file->path, strlen(file->path)));
    for (;; part++) {
        size_t n = strcspn(part, "/");
        assert(n > 0 && n <= 255);
        assert(!(part[0] == '.' && (n == 1 || (n == 2 && part[1] == '.'))));
        part += n;
        if (*part == '\0')
            break;
    }
}

static void check_pair(const char *one, const char *other)
{
    size_t n = strlen(one);
    assert(strncmp(one, other, n) != 0 ||
           (other[n] != '\0' && other[n] != '/'));
}

static void check_blend(const struct manifest *manifest)
{
    char name[BLOB_NAME + 1];
    char *blend = blend_write(manifest->files[0].name, manifest);
    assert(blend_is_blob(blend, name));
    assert(strcmp(name, manifest->files[0].name) == 0);
    size_t n = strlen(blend);
    assert(n > 6 && strcmp(blend + n - 6, ".blend") == 0);
    mem_free(blend);
}

static void check_again(const struct manifest *manifest)
{
    struct manifest again;
    char why[LIMIT_REASON];
    json_t *list = manifest_json(manifest);
    assert(manifest_read(list, &again, why, sizeof why));
    json_t *other = manifest_json(&again);
    assert(json_equal(list, other));
    json_decref(other);
    json_decref(list);
    manifest_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct manifest manifest;
    char why[LIMIT_REASON] = "";
    if (!manifest_parse((const char *)bytes, len, &manifest, why, sizeof why)) {
        assert(manifest.n == 0 && manifest.files == NULL);
        assert(why[0] != '\0' && text_is_plain(why, strlen(why)));
        return 0;
    }
    assert(manifest.n >= 1 && manifest.n <= LIMIT_MANIFEST && why[0] == '\0');
    for (size_t i = 0; i < manifest.n; i++)
        check_file(&manifest.files[i]);
    size_t n = manifest.n < PAIRS_MOST ? manifest.n : PAIRS_MOST;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            if (i != j)
                check_pair(manifest.files[i].path, manifest.files[j].path);
    check_blend(&manifest);
    check_again(&manifest);
    manifest_done(&manifest);
    return 0;
}
