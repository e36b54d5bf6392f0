/* SPDX-License-Identifier: Apache-2.0
 *
 * What an agent takes for a broker.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "worker-agent/farm.h"

static bool read_farm(int status, const char *body, struct farm *ret)
{
    char why[128] = "";
    const struct web_answer answer = {.result = WEB_ANSWERED,
                                      .status = status,
                                      .body = body,
                                      .len = strlen(body)};
    bool read = farm_read(&answer, ret, why, sizeof why);
    assert_int_equal(*why == '\0', read);
    return read;
}

static void a_farm(void **state)
{
    (void)state;
    struct farm farm;
    assert_true(read_farm(
        200, "{\"ports\":{\"status\":1,\"control\":65535},\"new\":[]}", &farm));
    assert_int_equal(farm.status_port, 1);
    assert_int_equal(farm.control_port, 65535);
}

static void no_farm(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "",
        "OK",
        "[1,2]",
        "{}",
        "{\"ports\":null}",
        "{\"ports\":[1,2]}",
        "{\"ports\":{\"status\":\"1\",\"control\":2}}",
        "{\"ports\":{\"status\":1.5,\"control\":2}}",
        "{\"ports\":{\"status\":0,\"control\":2}}",
        "{\"ports\":{\"status\":-1,\"control\":2}}",
        "{\"ports\":{\"status\":1,\"control\":65536}}",
        "{\"ports\":{\"status\":1,\"control\":4294967297}}",
    };
    struct farm farm;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++)
        if (read_farm(200, bodies[i], &farm))
            fail_msg("%s", bodies[i]);
    assert_false(
        read_farm(302, "{\"ports\":{\"status\":1,\"control\":2}}", &farm));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_farm),
        cmocka_unit_test(no_farm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
