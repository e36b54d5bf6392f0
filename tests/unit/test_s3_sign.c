/* SPDX-License-Identifier: Apache-2.0
 *
 * Presigned requests: the example of the AWS documents, and what a signature
 * holds fast.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "broker/files/s3_sign.h"
#include "common/mem.h"

static const struct s3_key key = {"AKIAIOSFODNN7EXAMPLE",
                                  "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                  "us-east-1"};

/* 2013-05-24T00:00:00Z */
static const struct s3_request example = {
    "GET", "examplebucket.s3.amazonaws.com", "/test.txt", NULL, 1369353600000,
    86400};

static void as_the_aws_documents_say(void **state)
{
    (void)state;
    char *text = s3_presign(&key, &example);
    assert_string_equal(
        text,
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="
        "AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&"
        "X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders="
        "host&X-Amz-Signature="
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    mem_free(text);
}

/* Whatever else is asked for has another signature. */
static void holds_the_request_fast(void **state)
{
    (void)state;
    struct s3_request others[6];
    struct s3_key other_key = key;
    char *text = s3_presign(&key, &example);
    for (size_t i = 0; i < 6; i++)
        others[i] = example;
    others[0].method = "PUT";
    others[1].host = "example.org";
    others[2].path = "/test.txu";
    others[3].header = "x-amz-checksum-sha256:abc";
    others[4].at_ms += 1000;
    other_key.secret = "another";
    for (size_t i = 0; i < 6; i++) {
        char *other = s3_presign(i < 5 ? &key : &other_key, &others[i]);
        assert_string_not_equal(strstr(other, "Signature="),
                                strstr(text, "Signature="));
        mem_free(other);
    }
    char *with = s3_presign(&key, &others[3]);
    assert_non_null(
        strstr(with, "SignedHeaders=host%3Bx-amz-checksum-sha256&"));
    mem_free(with);
    mem_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_aws_documents_say),
        cmocka_unit_test(holds_the_request_fast),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
