/* SPDX-License-Identifier: Apache-2.0
 *
 * The path of a request target (RFC 9112, 3.2). libmicrohttpd's own decoding
 * would end a path silently at %00; here nothing is repaired, only refused.
 */
#include "common/http/httpd_parts.h"

#include <string.h>
#include <strings.h>

#include "common/text.h"

/* Skips the scheme and host of the form that is sent to proxies. */
static const char *skip_origin(const char *target)
{
    static const char *const schemes[] = {"http://", "https://"};
    for (int i = 0; i < 2; i++)
        if (strncasecmp(target, schemes[i], strlen(schemes[i])) == 0) {
            target += strlen(schemes[i]);
            return target + strcspn(target, "/?");
        }
    return target;
}

static int hex_digit(char c)
{
    static const char digits[] = "0123456789abcdef0123456789ABCDEF";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at == NULL ? -1 : (int)(at - digits) % 16;
}

/* The byte that a % escape at text stands for; -1 when it is none. */
static int escaped_byte(const char *text)
{
    int high = hex_digit(text[1]);
    int low = high < 0 ? -1 : hex_digit(text[2]);
    return low < 0 ? -1 : high * 16 + low;
}

static bool query_has_nul(const char *query)
{
    for (; (query = strchr(query, '%')) != NULL; query++)
        if (escaped_byte(query) == 0)
            return true;
    return false;
}

const char *target_path(const char *target, char *path)
{
    size_t len = 0;
    const char *at = skip_origin(target);
    for (; *at != '\0' && *at != '?'; at++) {
        int byte = *at == '%' ? escaped_byte(at) : *at;
        if (*at == '%' && byte < 0)
            return "broken % escape in the path";
        at += *at == '%' ? 2 : 0;
        path[len++] = (char)byte;
    }
    path[len] = '\0';
    if (!text_is_plain(path, len))
        return "control character or broken UTF-8 in the path";
    if (query_has_nul(at))
        return "NUL byte in the query";
    if (len == 0)
        memcpy(path, "/", 2);
    return NULL;
}
