/* SPDX-License-Identifier: Apache-2.0
 *
 * FNV-1a, 64 bits.
 */
#include "broker/people/hash.h"

uint64_t hash_bytes(const void *bytes, size_t n)
{
    const unsigned char *at = bytes;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}
