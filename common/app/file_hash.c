/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks large enough for a disk, small enough for any thread's stack.
 */
#include "common/app/file_hash.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 65536

bool file_hash(int fd, file_hash_step *step, void *ctx, char ret[BLOB_NAME + 1])
{
    unsigned char block[BLOCK], sum[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    off_t at = 0;
    ssize_t n;
    crypto_hash_sha256_init(&state);
    while ((n = pread(fd, block, sizeof block, at)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        crypto_hash_sha256_update(&state, block, (unsigned long long)n);
        at += n;
        if (step != NULL && !step(ctx, (size_t)n)) {
            errno = ECANCELED;
            return false;
        }
    }
    crypto_hash_sha256_final(&state, sum);
    blob_name(sum, ret);
    return true;
}

bool file_has_hash(const char *path, const char *name)
{
    char found[BLOB_NAME + 1];
    struct stat facts;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool has = fd >= 0 && fstat(fd, &facts) == 0 && S_ISREG(facts.st_mode) &&
               file_hash(fd, NULL, NULL, found) && strcmp(found, name) == 0;
    if (fd >= 0)
        close(fd);
    return has;
}
