/* SPDX-License-Identifier: Apache-2.0
 *
 * Files built into the broker: the status page's and the API's description.
 */
#ifndef FRAMEQ_BROKER_PAGE_H
#define FRAMEQ_BROKER_PAGE_H

struct page {
    const char *path; /* where it is served */
    const char *type;
    const char *bytes, *end;
};

/* page_find returns the file served at a path, or NULL. */
const struct page *page_find(const char *path);

#endif
