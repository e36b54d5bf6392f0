/* SPDX-License-Identifier: Apache-2.0
 *
 * Can any agent take a job, and if not, why.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/verdict.h"
#include "quoted.h"

#define GOOD                                                                   \
    "{'name':'n1','state':'up','drain':'off','slots':4,'why':'',"              \
    "'tags':['gpu'],'node':{'up':true,'gpus':1,'memory_mb':8000,"              \
    "'blender':'3.4.1'}}"

static void expect(const char *agent, const char *job, const char *reason)
{
    char why[1024];
    json_t *a = quoted(agent), *j = quoted(job);
    const char *got = verdict_agent(a, j, why, sizeof why);
    if (reason == NULL)
        assert_null(got);
    else
        assert_string_equal(got, reason);
    json_decref(a);
    json_decref(j);
}

static void test_agent(void **state)
{
    (void)state;
    expect(GOOD, "{}", NULL);
    expect(GOOD,
           "{'requires':{'tags':['gpu'],'gpu':true,'memory_mb':8000,"
           "'blender':'3.4'}}",
           NULL);
    expect(GOOD, "{'requires':{'tags':['gpu','fast']}}", "lacks the tag fast");
    expect(GOOD, "{'requires':{'memory_mb':8001}}", "has 8000 MB of memory");
    expect(GOOD, "{'requires':{'blender':'4.'}}", "has Blender 3.4.1");
    expect("{'name':'x','state':'up','drain':'off','slots':1,"
           "'node':{'up':true,'gpus':0}}",
           "{'requires':{'gpu':true}}", "has no GPU");
    expect("{'state':'lost'}", "{}", "lost");
    expect("{'state':'silent','why':'not heard for too long'}", "{}",
           "not heard for too long");
    expect("{'state':'up','drain':'soft','slots':1}", "{}", "drained");
    expect("{'state':'up','drain':'off','slots':0,'node':{'up':false}}", "{}",
           "its node does not answer");
    expect("{'state':'up','drain':'off','slots':0,'why':'the disk is full'}",
           "{}", "the disk is full");
}

static void expect_all(const char *agents, bool can, const char *reason)
{
    char why[1024] = "";
    json_t *list = quoted(agents);
    assert_int_equal(verdict_agents(list, NULL, why, sizeof why), can);
    if (!can)
        assert_string_equal(why, reason);
    json_decref(list);
}

static void test_agents(void **state)
{
    (void)state;
    expect_all("[]", false, "no agent is connected");
    expect_all("[{'name':'a','state':'lost'}," GOOD "]", true, NULL);
    expect_all("[{'name':'a','state':'lost'},"
               "{'name':'b','state':'up','drain':'now','slots':1}]",
               false, "a: lost; b: drained");
    expect_all("[{'name':'a','state':'lost'},{'name':'b','state':'lost'},"
               "{'name':'c','state':'lost'},{'name':'d','state':'lost'},"
               "{'name':'e','state':'lost'}]",
               false, "a: lost; b: lost; c: lost; and 2 more");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agent),
        cmocka_unit_test(test_agents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
