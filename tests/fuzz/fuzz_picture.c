/* SPDX-License-Identifier: Apache-2.0
 *
 * Any bytes are a whole picture or are refused with a reason. The file is one
 * in memory where there is such a folder: a disk would be slower.
 */
#include "common/picture/picture.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/limits.h"
#include "common/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static char path[] = "/dev/shm/fuzz_picture.XXXXXX";

static void path_remove(void)
{
    unlink(path);
}

static int file_open(void)
{
    int fd = mkstemp(path);
    if (fd < 0) {
        strcpy(path, "/tmp/fuzz_picture.XXXXXX");
        fd = mkstemp(path);
    }
    assert(fd >= 0);
    atexit(path_remove);
    return fd;
}

static void check(const struct picture *picture)
{
    assert(1 <= picture->width && picture->width <= LIMIT_PIXELS);
    assert(1 <= picture->height && picture->height <= LIMIT_PIXELS);
    assert(strlen(picture->sha256) == 64);
    assert((picture->thumb != NULL) == (picture->thumb_len > 0));
    assert(picture->thumb_len <= LIMIT_THUMB);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static int fd = -1;
    struct picture picture;
    char why[LIMIT_REASON];
    if (fd < 0)
        fd = file_open();
    assert(ftruncate(fd, 0) == 0);
    assert(pwrite(fd, bytes, len, 0) == (ssize_t)len);
    if (picture_prove(path, true, &picture, why, sizeof why)) {
        check(&picture);
        picture_done(&picture);
    } else {
        assert(why[0] != '\0' && text_is_plain(why, strlen(why)));
    }
    return 0;
}
