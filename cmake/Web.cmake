# SPDX-License-Identifier: Apache-2.0
# The page: web/ bundled into FRAMEQ_WEB_DIR, from where the broker carries it
# inside. FRAMEQ_WEB=OFF builds without Node.js and without the page.
find_program(NPM NAMES npm)
find_program(NODE NAMES node nodejs)
if(NPM AND NODE)
  set(has_npm ON)
else()
  set(has_npm OFF)
endif()
option(FRAMEQ_WEB "Build the page into the broker (needs npm)" ${has_npm})

set(FRAMEQ_WEB_DIR ${CMAKE_BINARY_DIR}/web)
set(FRAMEQ_WEB_FILES)

# npm_install(DIR): has the packages of DIR/package-lock.json installed, and
# anew when that changes.
function(npm_install dir)
  add_custom_command(
    OUTPUT ${dir}/node_modules/.package-lock.json
    COMMAND ${CMAKE_SOURCE_DIR}/cmake/npm-ci ${dir}
    DEPENDS ${dir}/package-lock.json
    COMMENT "npm ci in ${dir}")
endfunction()

if(FRAMEQ_WEB)
  if(NOT has_npm)
    message(FATAL_ERROR "FRAMEQ_WEB needs npm and node: install them "
      "(deploy/install-deps), or build without the page: -DFRAMEQ_WEB=OFF")
  endif()
  set(web ${CMAKE_SOURCE_DIR}/web)
  foreach(file index.html app.js app.css)
    list(APPEND FRAMEQ_WEB_FILES ${FRAMEQ_WEB_DIR}/${file}
      ${FRAMEQ_WEB_DIR}/${file}.gz)
  endforeach()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${web}/src/*)
  npm_install(${web})
  add_custom_command(
    OUTPUT ${FRAMEQ_WEB_FILES}
    COMMAND ${NODE} build.mjs ${FRAMEQ_WEB_DIR}
    DEPENDS ${sources} ${web}/build.mjs ${web}/node_modules/.package-lock.json
    WORKING_DIRECTORY ${web}
    COMMENT "Bundling the page")
  add_custom_target(web DEPENDS ${FRAMEQ_WEB_FILES})
endif()
