# SPDX-License-Identifier: Apache-2.0
set(bench ${CMAKE_CURRENT_SOURCE_DIR}/../bench)
frameq_unit(bench frameq_common)
target_sources(test_bench PRIVATE
  ${bench}/dialect_beanstalkd.c ${bench}/dialect_redis.c ${bench}/tally.c)
