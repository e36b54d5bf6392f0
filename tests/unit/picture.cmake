# SPDX-License-Identifier: Apache-2.0
frameq_unit(picture frameq_picture)
target_compile_definitions(test_picture PRIVATE
  PICTURES="${CMAKE_CURRENT_SOURCE_DIR}/pictures")
