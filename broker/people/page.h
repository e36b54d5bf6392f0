/* SPDX-License-Identifier: Apache-2.0
 *
 * Files built into the broker: the page's (web/, bundled by the build) and the
 * API's description.
 */
#ifndef FRAMEQ_BROKER_PEOPLE_PAGE_H
#define FRAMEQ_BROKER_PEOPLE_PAGE_H

struct page {
    const char *path; /* where it is served */
    const char *type;
    const char *bytes, *end;
    const char *gzip, *gzip_end; /* the same compressed; NULL: it is not */
};

/* page_find returns the file served at a path, or NULL. */
const struct page *page_find(const char *path);

/* page_view returns the document that every view of the page begins with. */
const struct page *page_view(void);

#endif
