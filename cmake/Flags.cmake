# Compiler flags for every target, in one place.
set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Asserts stay in every build: a broken invariant must stop the program.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")

add_compile_definitions(_GNU_SOURCE FRAMEQ_VERSION="${PROJECT_VERSION}")
include_directories(${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
add_compile_options(
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -Wformat=2 -Wundef -Wwrite-strings -Wcast-qual -Wpointer-arith
  -fno-common -fno-strict-aliasing)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wduplicated-cond -Wlogical-op)
endif()
if(FRAMEQ_WERROR)
  add_compile_options(-Werror)
endif()
if(FRAMEQ_SANITIZE)
  # Of debug information what a report needs, lines and names: a third less to
  # compile.
  add_compile_options(-fsanitize=${FRAMEQ_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${FRAMEQ_SANITIZE})
endif()
if(FRAMEQ_FUZZ)
  # The libraries tell libFuzzer where a run went; only its targets link it.
  add_compile_options(-O1 -fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(FRAMEQ_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()
# More than a hundred tests are linked in every build: gold, which is part of
# binutils, takes a third of the time. What is installed has the usual linker.
find_program(FRAMEQ_GOLD ld.gold)
if(FRAMEQ_GOLD AND NOT FRAMEQ_HARDEN)
  add_link_options(-fuse-ld=gold)
endif()
if(FRAMEQ_HARDEN)
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection)
  add_link_options(-pie -Wl,-z,relro,-z,now)
endif()
