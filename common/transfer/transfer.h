/* SPDX-License-Identifier: Apache-2.0
 *
 * Files to and from a store that a broker sends its clients on to. Such a URL
 * is all the store wants to see: no token of the broker's ever goes there.
 * Tries nothing twice.
 */
#ifndef FRAMEQ_COMMON_TRANSFER_TRANSFER_H
#define FRAMEQ_COMMON_TRANSFER_TRANSFER_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

/* A file's hash as a store wants it, of a name that is blob_is_name. */
#define TRANSFER_SUM_HEADER "x-amz-checksum-sha256"
#define TRANSFER_SUM_SIZE   64
void transfer_sum(const char *name, char ret[TRANSFER_SUM_SIZE]);

/* transfer_follow, after a request of curl's that was answered: where the
 * broker sent it on (307), curl is ready for the same request there, without
 * the token, through a proxy where the environment names one for that host.
 * Returns false when the answer was another. */
bool transfer_follow(CURL *curl);

/* transfer_host writes the host that answered last, for people. */
void transfer_host(CURL *curl, char *ret, size_t size);

/* transfer_put sends size bytes of fd, those of the hash name, to the URL where
 * curl's last request was sent on to. step is called now and then, as libcurl's
 * CURLOPT_XFERINFOFUNCTION; NULL: none. Returns the store's status; 0: it gave
 * none, and why says the reason. A file that got shorter meanwhile is not sent,
 * one that changed is refused there (400). */
struct transfer {
    int fd;
    uint64_t size;
    const char *name;
    int (*step)(void *ctx, curl_off_t down_all, curl_off_t down,
                curl_off_t up_all, curl_off_t up);
    void *ctx;
    uint64_t sent; /* its own */
    char why[CURL_ERROR_SIZE];
};
long transfer_put(CURL *curl, struct transfer *transfer);

#endif
