# SPDX-License-Identifier: Apache-2.0
# The pure core, with a ledger in memory.
add_library(core_farm STATIC core_farm.c
  ${CMAKE_CURRENT_LIST_DIR}/../../broker/ledger/record.c
  ${CMAKE_CURRENT_LIST_DIR}/../../broker/ledger/record_layout.c)
target_link_libraries(core_farm PUBLIC frameq_core frameq_wire PkgConfig::CMOCKA)
frameq_unit(core_jobs core_farm)
frameq_unit(core_retry core_farm)
frameq_unit(core_sched core_farm)
frameq_unit(core_report core_farm)
frameq_unit(core_faults core_farm)
frameq_unit(core_adopt core_farm)
frameq_unit(core_agents core_farm)
frameq_unit(core_lanes core_farm)
frameq_unit(core_replay core_farm)
frameq_unit(core_tail core_farm)
frameq_unit(core_sleep core_farm)
frameq_unit(core_names core_farm)
frameq_unit(core_attempts core_farm)
frameq_unit(core_bench core_farm)
frameq_unit(core_brake core_farm)
frameq_unit(core_lost core_farm)
frameq_unit(core_why core_farm)
