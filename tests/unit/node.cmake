# SPDX-License-Identifier: Apache-2.0
frameq_unit(node_channel frameq_node)
frameq_unit(node_disk frameq_node)
target_link_options(test_node_disk PRIVATE -Wl,--wrap=statvfs)
frameq_unit(node_job frameq_node)
frameq_unit(node_output frameq_node)
frameq_unit(node_place frameq_node frameq_picture)
frameq_unit(node_seat frameq_node)
frameq_unit(node_spec frameq_node)
frameq_unit(node_work frameq_node)
target_compile_definitions(test_node_place PRIVATE
  PICTURES="${CMAKE_CURRENT_SOURCE_DIR}/pictures")
